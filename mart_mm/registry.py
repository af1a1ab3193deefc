"""Registries of MART-MM: children of MMEngine's with scope ``mart_mm``.

A component registers itself with a decorator; its folder is imported when something of that kind is
first built (``locations``), so a new component is one new file and one config.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable

import mmengine.registry as roots
from mmengine.registry import Registry

from mart_mm.errors import unknown_name

SCOPE = 'mart_mm'


def _check_names(cfg: dict, registry: Registry, default_args: dict | None) -> None:
    """Refuse a type or an option that does not exist, with the nearest ones that do.

    Raises:
        KeyError: For a type that is registered nowhere.
        TypeError: For an option that a class of this package does not have.
    """
    kind = cfg.get('type', (default_args or {}).get('type'))
    if not isinstance(kind, str) or '_scope_' in cfg:
        return
    found = registry.get(kind)
    if found is None:
        if '.' in kind:  # of another package: MMEngine says what is missing
            return
        names = {*registry.module_dict, *registry.parent.module_dict} if registry.parent else ()
        raise KeyError(unknown_name(f'{registry.name} type', kind, names or registry.module_dict))
    if not inspect.isclass(found) or not found.__module__.startswith('mart_mm.'):
        return
    accepted = inspect.signature(found).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in accepted.values()):
        return
    for key in cfg:
        if key != 'type' and key not in accepted:
            raise TypeError(unknown_name(f'option of {found.__name__}', key, accepted))


def _checked(build: Callable) -> Callable:
    def build_checked(
        cfg: dict, registry: Registry, default_args: dict | None = None, **kwargs: object
    ) -> object:
        if isinstance(cfg, dict):
            _check_names(cfg, registry, default_args)
        return build(cfg, registry, default_args, **kwargs)

    return build_checked


def _child(name: str, parent: Registry, *locations: str) -> Registry:
    return Registry(
        name,
        build_func=_checked(parent.build_func),
        parent=parent,
        scope=SCOPE,
        locations=list(locations),
    )


#: every ``nn.Module``: recognisers, backbones, heads, pretexts, maskers, targets, decoders, text encoders
MODELS = _child('model', roots.MODELS, 'mart_mm.models')
DATASETS = _child('dataset', roots.DATASETS, 'mart_mm.datasets')
DATA_SAMPLERS = _child('data sampler', roots.DATA_SAMPLERS, 'mart_mm.datasets')
TRANSFORMS = _child('transform', roots.TRANSFORMS, 'mart_mm.datasets.transforms')
METRICS = _child('metric', roots.METRICS, 'mart_mm.evaluation')
HOOKS = _child('hook', roots.HOOKS, 'mart_mm.engine')
LOOPS = _child('loop', roots.LOOPS, 'mart_mm.engine')
MODEL_WRAPPERS = _child('model_wrapper', roots.MODEL_WRAPPERS, 'mart_mm.engine')
VISBACKENDS = _child('vis_backend', roots.VISBACKENDS, 'mart_mm.engine')
FUNCTIONS = _child('function', roots.FUNCTIONS, 'mart_mm.datasets')
#: word -> affect; not a child of anything in MMEngine
LEXICONS = Registry(
    'lexicon',
    build_func=_checked(roots.build_from_cfg),
    scope=SCOPE,
    locations=['mart_mm.lexicon'],
)

# MMEngine warns at each build in a scope that has no child of the root registry in question, so
# every remaining root gets an empty child. OPTIM_WRAPPERS and friends then resolve to MMEngine's.
_OWN = {
    'MODELS', 'DATASETS', 'DATA_SAMPLERS', 'TRANSFORMS', 'METRICS', 'HOOKS', 'LOOPS',
    'MODEL_WRAPPERS', 'FUNCTIONS', 'VISBACKENDS',
}  # fmt: skip
for _name, _root in sorted(vars(roots).items()):
    if isinstance(_root, Registry) and _root.scope == 'mmengine' and _name not in _OWN:
        globals()[_name] = _child(_root.name, _root, 'mart_mm.registry')
