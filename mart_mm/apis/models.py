"""Models by name, as in other packages of OpenMMLab."""

from __future__ import annotations

from mmengine.config import Config
from mmengine.infer import BaseInferencer
from mmengine.registry import init_default_scope

from mart_mm.apis.browse import load_recognizer
from mart_mm.models.recognizers.affective import AffectiveRecognizer
from mart_mm.registry import MODELS
from mart_mm.zoo.configs import resolve_config
from mart_mm.zoo.weights import find_weights


def list_models(scope: str = 'mart_mm', patterns: str = '.*') -> list[str]:
    """Names and aliases of the model index.

    Args:
        scope: The package.
        patterns: Regular expression that a name begins with.
    """
    return BaseInferencer.list_models(scope, patterns)


def get_model(
    model: str, pretrained: bool | str = False, device: str | None = None
) -> AffectiveRecognizer:
    """Build a model by name.

    Args:
        model: Name or alias of the model index, or path of a config.
        pretrained: A checkpoint; or True for the model's own weights, see
            :func:`mart_mm.zoo.weights.find_weights`; or False for those of the constructors.
        device: Such as ``'cuda'``; the CPU where not given.

    Returns:
        The recogniser, in evaluation mode.

    Raises:
        UnknownConfigError: With the nearest names.
        NoWeightsError: When weights are wanted and there are none, with the command that makes some.
    """
    cfg = Config.fromfile(resolve_config(model))
    if pretrained:
        weights = find_weights(model, None if pretrained is True else pretrained)
        recognizer = load_recognizer(cfg, weights)
    else:
        init_default_scope(cfg.get('default_scope', 'mart_mm'))
        recognizer = MODELS.build(cfg.model)
    return recognizer.to(device or 'cpu').eval()
