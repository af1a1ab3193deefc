"""Models of a config, and batches of their sizes made of random numbers; no data are needed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import mart_mm  # noqa: E402, F401  first: it repairs what is imported below

# isort: split
import torch  # noqa: E402
from mmengine.config import Config  # noqa: E402
from mmengine.registry import init_default_scope  # noqa: E402
from torch import Tensor  # noqa: E402
from torch.nn.attention import SDPBackend, sdpa_kernel  # noqa: E402
from torch.utils._pytree import tree_map  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from mart_mm.models.layers.frozen_clip import CLIPOutput  # noqa: E402
from mart_mm.models.recognizers.affective import AffectiveRecognizer, TrainingStage  # noqa: E402
from mart_mm.registry import MODELS  # noqa: E402
from tools.analysis.flop_stages import NoTeacher, remove_teachers, synthesise  # noqa: E402

Step = Callable[[], None]


class RandomTeacher(NoTeacher):
    """Stands in for a frozen CLIP where values are needed."""

    def __call__(self, pictures: Tensor) -> CLIPOutput:
        """Random features of the shapes of :class:`NoTeacher`."""
        return CLIPOutput(*map(_random, super().__call__(pictures)[:2]), (1, 1))


def _random(values: Tensor) -> Tensor:
    return torch.randn(values.shape)


def build(cfg: Config, stage: str) -> AffectiveRecognizer:
    """The recogniser of a config, training in the middle of a stage; frozen teachers left out."""
    init_default_scope(cfg.get('default_scope', 'mart_mm'))
    torch.manual_seed(0)
    model = MODELS.build(cfg.model).train()
    model.stage = TrainingStage(stage, 1, 2)
    if model.pretext is not None:
        remove_teachers(model.pretext)
        model.pretext.mask_progress = 0.5
        for module in model.pretext.modules():
            if isinstance(getattr(module, 'clip', None), NoTeacher):
                module.clip = RandomTeacher(module.clip.dims)
    return model


def _fill(leaf: object) -> object:
    if not isinstance(leaf, Tensor) or not leaf.is_meta:
        return leaf
    if leaf.dtype == torch.uint8:
        return torch.randint(256, leaf.shape, dtype=torch.uint8)
    return torch.randn(leaf.shape, dtype=leaf.dtype)


def batch(
    model: AffectiveRecognizer, videos: int, segments: int, words: int = 8
) -> tuple[dict, list]:
    """A batch as the data preprocessor returns it.

    Args:
        model: Its streams give the sizes.
        videos: B.
        segments: S.
        words: Cues K per segment.
    """
    inputs, samples = synthesise(model, videos, segments, words)
    return tree_map(_fill, inputs), samples


def train_step(model: AffectiveRecognizer, given: tuple[dict, list]) -> Step:
    """Forward and backward pass, without the optimiser's step."""

    def step() -> None:
        for parameter in model.parameters():
            parameter.grad = None
        total, _ = model.parse_losses(model.loss(*given))
        total.backward()

    return step


def step_flops(step: Step) -> int:
    """FLOPs of a step by torch's counter, which does not know the fused attention on CPU."""
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        step()
    return counter.get_total_flops()
