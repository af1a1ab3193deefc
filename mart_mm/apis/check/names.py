"""Keys, types and options of a config that nothing knows, all of them at once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping

from mmengine.config import Config
from mmengine.registry import Registry

from mart_mm import registry as registries
from mart_mm.apis.check.findings import ERROR, OK, Finding
from mart_mm.apis.run import KNOWN_KEYS, NAMED_PARTS
from mart_mm.errors import unknown_name

#: registry of what stands below a key at the top
_TOP = dict(
    model='MODELS',
    data_preprocessor='MODELS',
    default_hooks='HOOKS',
    custom_hooks='HOOKS',
    optim_wrapper='OPTIM_WRAPPERS',
    param_scheduler='PARAM_SCHEDULERS',
    train_cfg='LOOPS',
    val_cfg='LOOPS',
    test_cfg='LOOPS',
    val_evaluator='METRICS',
    test_evaluator='METRICS',
    visualizer='VISUALIZERS',
    vis_backends='VISBACKENDS',
    log_processor='LOG_PROCESSORS',
    model_wrapper_cfg='MODEL_WRAPPERS',
)
#: the same deeper inside; other keys keep the registry of the key above
_INSIDE = dict(
    lexicon='LEXICONS',
    init_cfg='WEIGHT_INITIALIZERS',
    dataset='DATASETS',
    pipeline='TRANSFORMS',
    pretrain_pipeline='TRANSFORMS',
    sampler='DATA_SAMPLERS',
    batch_sampler='DATA_SAMPLERS',
    collate_fn='FUNCTIONS',
    optimizer='OPTIMIZERS',
    vis_backends='VISBACKENDS',
)
#: options that MMEngine takes out before it builds
_TAKEN_OUT = dict(
    HOOKS=('priority',),
    OPTIM_WRAPPERS=('constructor', 'paramwise_cfg'),
    PARAM_SCHEDULERS=('convert_to_iter_based',),
)


def check_names(cfg: Config) -> list[Finding]:
    """Hold every key, type and option of a config against what there is."""
    findings, count = [], 0
    for key, value in cfg.items():
        if key.endswith(NAMED_PARTS):  # parts that are named to be referred to
            continue
        if key not in KNOWN_KEYS:
            message = unknown_name('config key', key, sorted(KNOWN_KEYS))
            findings.append(Finding(ERROR, 'names', message))
            continue
        for where, node, kind, scope in _components(value, key, _TOP.get(key), None):
            count += 1
            findings += [
                Finding(ERROR, 'names', text) for text in _faults(where, node, kind, scope)
            ]
    if not findings:
        return [Finding(OK, 'names', f'{count} components, all types and options are known')]
    return findings


def _components(
    node: object, where: str, kind: str | None, scope: str | None
) -> Iterator[tuple[str, Mapping, str, str | None]]:
    """Place, node, name of the registry and scope of each component below a place."""
    if isinstance(node, Mapping):
        scope = node.get('_scope_', scope)
        if kind and isinstance(node.get('type'), str):
            yield where, node, kind, scope
        for name, value in node.items():
            yield from _components(value, f'{where}.{name}', _INSIDE.get(name, kind), scope)
    elif isinstance(node, (list, tuple)):
        for index, value in enumerate(node):
            yield from _components(value, f'{where}[{index}]', kind, scope)


def _faults(where: str, node: Mapping, kind: str, scope: str | None) -> Iterator[str]:
    registry: Registry = getattr(registries, kind)
    name = f'{scope}.{node["type"]}' if scope else node['type']
    found = _get(registry, name)
    if found is None:
        valid = {*registry.module_dict, *(registry.parent.module_dict if registry.parent else ())}
        yield f'{where}.type: {unknown_name(f"{registry.name} type", name, sorted(valid))}'
        return
    accepted = accepted_options(found)
    if accepted is None:
        return
    accepted = [*accepted, *_TAKEN_OUT.get(kind, ())]
    for key in node:
        if key not in ('type', '_scope_') and key not in accepted:
            option = unknown_name(f'option of {found.__name__}', key, accepted)
            yield f'{where}.{key}: {option}'


def _get(registry: Registry, name: str) -> Callable | None:
    try:
        return registry.get(name)
    except RuntimeError:  # MMEngine's answer to a name with a dot that leads nowhere
        return None


def accepted_options(component: Callable) -> list[str] | None:
    """Names of the options of a class or function; None where it takes any.

    A constructor with ``**kwargs`` passes them on to that of the next base.
    """
    if not inspect.isclass(component):
        own, is_open = _own_options(component)
        return None if is_open else own
    names: list[str] = []
    for base in inspect.getmro(component):
        if '__init__' not in vars(base) or base is object:
            continue
        own, is_open = _own_options(base.__init__)
        names += own[1:]  # behind self
        if not is_open:
            return names
    return None


def _own_options(function: Callable) -> tuple[list[str], bool]:
    """Names of the parameters, and whether any other one is taken too."""
    parameters = inspect.signature(function).parameters.values()
    named = [p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    return named, any(p.kind is p.VAR_KEYWORD for p in parameters)
