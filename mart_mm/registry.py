"""Registries of MART-MM: children of MMEngine's with scope ``mart_mm``.

A component registers itself with a decorator; its folder is imported when something of that kind is
first built (``locations``), so a new component is one new file and one config.
"""

from __future__ import annotations

import mmengine.registry as roots
from mmengine.registry import Registry

SCOPE = 'mart_mm'


def _child(name: str, parent: Registry, *locations: str) -> Registry:
    return Registry(name, parent=parent, scope=SCOPE, locations=list(locations))


#: every ``nn.Module``: recognisers, backbones, heads, pretexts, maskers, targets, decoders, text encoders
MODELS = _child('model', roots.MODELS, 'mart_mm.models')
DATASETS = _child('dataset', roots.DATASETS, 'mart_mm.datasets')
DATA_SAMPLERS = _child('data sampler', roots.DATA_SAMPLERS, 'mart_mm.datasets')
TRANSFORMS = _child('transform', roots.TRANSFORMS, 'mart_mm.datasets.transforms')
METRICS = _child('metric', roots.METRICS, 'mart_mm.evaluation')
HOOKS = _child('hook', roots.HOOKS, 'mart_mm.engine')
LOOPS = _child('loop', roots.LOOPS, 'mart_mm.engine')
MODEL_WRAPPERS = _child('model_wrapper', roots.MODEL_WRAPPERS, 'mart_mm.engine')
FUNCTIONS = _child('function', roots.FUNCTIONS, 'mart_mm.datasets')
#: word -> affect; not a child of anything in MMEngine
LEXICONS = Registry('lexicon', scope=SCOPE, locations=['mart_mm.lexicon'])

# MMEngine warns at each build in a scope that has no child of the root registry in question, so
# every remaining root gets an empty child. OPTIM_WRAPPERS and friends then resolve to MMEngine's.
_OWN = {
    'MODELS', 'DATASETS', 'DATA_SAMPLERS', 'TRANSFORMS', 'METRICS', 'HOOKS', 'LOOPS',
    'MODEL_WRAPPERS', 'FUNCTIONS',
}  # fmt: skip
for _name, _root in sorted(vars(roots).items()):
    if isinstance(_root, Registry) and _root.scope == 'mmengine' and _name not in _OWN:
        globals()[_name] = _child(_root.name, _root, 'mart_mm.registry')
