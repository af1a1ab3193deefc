"""FLOPs of the stages of a config: fine-tuning, and the two passes of pretraining.

The network runs on ``meta`` tensors, and the recogniser's own ``loss`` runs as in training. Only
masks are real, drawn by the config's maskers from random scores: how many tokens they hide does not
depend on the scores. A masker that hides some segments only by chance (``mask_prob`` below 1) gives
an estimate, repeatable by its seed. Frozen teachers (CLIP, optical flow) are not counted.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from math import prod
from typing import NamedTuple

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import Tensor, nn

from mart_mm.models.backbones.base import StreamSpec
from mart_mm.models.backbones.feature_encoder import FeatureStream
from mart_mm.models.backbones.vit_stream import TransformerStream
from mart_mm.models.decoders.linear import LinearDecoder
from mart_mm.models.layers.frozen_clip import CLIPOutput, FrozenCLIP
from mart_mm.models.pretext.remembered_affective import RememberedAffectivePretext
from mart_mm.models.pretext.tcl_text import FusionBert
from mart_mm.models.pretext.tcl_words import HashedWords
from mart_mm.models.recognizers.affective import AffectiveRecognizer, TrainingStage
from mart_mm.registry import MODELS
from mart_mm.structures.affective_data_sample import AffectiveDataSample
from tools.analysis.flop_count import PARTS, PartCounter, part_of


class StageCount(NamedTuple):
    """FLOPs of one pass.

    Attributes:
        stage: Its name.
        flops: FLOPs by part, as torch counts them.
        analytic: FLOPs by formula.
        masked: Share of hidden tokens by stream.
    """

    stage: str
    flops: dict[str, int]
    analytic: int
    masked: dict[str, float]

    @property
    def total(self) -> int:
        """FLOPs of all parts."""
        return sum(self.flops.values())

    @property
    def difference(self) -> float:
        """Relative difference of the two counts."""
        return abs(self.analytic - self.total) / max(1, self.total)


class RecordedMasker(nn.Module):
    """Stands in for a masker: real masks from random scores, and a note of when it was asked.

    Args:
        masker: The config's masker.
        on_call: Called when the mask is chosen, with the share of hidden tokens.
    """

    def __init__(self, masker: nn.Module, on_call: Callable[[float], None]) -> None:
        super().__init__()
        self.masker, self.on_call = masker, on_call

    def forward(
        self, scores: Tensor | None, grid: tuple[int, ...], progress: float, **kwargs: object
    ) -> Tensor:
        """As :class:`mart_mm.models.maskers.base.Masker`, on the CPU whatever the scores are on."""
        generator = torch.Generator().manual_seed(0)
        real = None if scores is None else torch.rand(scores.shape, generator=generator)
        options = kwargs | dict(device='cpu', generator=generator)
        is_masked = self.masker(real, grid, progress, **options)
        self.on_call(float(is_masked.float().mean()))
        return is_masked


class RandomScores(nn.Module):
    """Stands in for an importance."""

    needs_output = False

    def forward(self, inputs: dict, stream: StreamSpec, *args: object, **kwargs: object) -> Tensor:
        """Scores (BS, N)."""
        return torch.rand(inputs['imgs'].shape[:2].numel(), prod(stream.grid))


class NoTeacher:
    """Stands in for a frozen CLIP: one patch a picture, without values."""

    def __init__(self, dims: int) -> None:
        self.dims = dims

    def __call__(self, pictures: Tensor) -> CLIPOutput:
        """As :class:`mart_mm.models.layers.frozen_clip.FrozenCLIP`."""
        features = torch.empty(len(pictures), 2, self.dims, device=pictures.device)
        return CLIPOutput(features, features[:, 1:, 0], (1, 1))


def remove_teachers(pretext: nn.Module) -> None:
    """Leave nothing in a pretext that would have to be loaded."""
    for name in getattr(pretext, 'importances', {}):
        pretext.importances[name] = RandomScores()
    if isinstance(getattr(pretext, 'text', None), FusionBert):
        pretext.text.tokenizer = HashedWords(pretext.text.vocab_size)
    for module in pretext.modules():
        if isinstance(getattr(module, 'clip', None), FrozenCLIP):
            module.clip = NoTeacher(module.clip.dims)


def find_num_segments(node: object) -> int | None:
    """``num_segments`` of the first transform that has it in a config, or None."""
    if isinstance(node, dict):
        if node.get('type') in ('SampleSegments', 'LoadFeatures'):
            return node.get('num_segments')
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        return next((n for n in map(find_num_segments, node) if n is not None), None)
    return None


def synthesise(
    model: AffectiveRecognizer, batch_size: int, num_segments: int, num_cues: int
) -> tuple[dict, list[AffectiveDataSample]]:
    """A batch of the model's sizes, as the data preprocessor returns it; all cues are valid."""
    specs, num_classes = model.backbone.streams, model.head.num_classes
    segments, words = (batch_size, num_segments), (batch_size, num_segments, num_cues)
    text_dims = model.data_preprocessor.text_dims
    whole = torch.ones(batch_size, dtype=torch.bool)

    def empty(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        return torch.empty(*shape, dtype=dtype, device='meta')

    shapes = {}
    for name, spec in specs.items():
        stream = getattr(model.backbone, name)
        if isinstance(stream, FeatureStream):
            shapes[name] = (*segments, *spec.input_shape, stream.in_dims)
        else:
            is_video = name == 'visual'
            shapes[name] = (
                *segments,
                *((3, *spec.input_shape) if is_video else spec.input_shape[::-1]),
            )
    inputs = dict(
        pixels=empty(*shapes['visual'], dtype=torch.uint8),
        imgs=empty(*shapes['visual']),
        audios=empty(*shapes['audio']),
        cues=dict(
            polarity=torch.zeros(words, dtype=torch.long),
            emotion=torch.rand(*words, num_classes),
            emotion_class=torch.zeros(words, dtype=torch.long),
            valid=torch.ones(words, dtype=torch.bool),
            class_has_words=torch.ones(batch_size, num_classes, dtype=torch.bool),
            features=empty(*words, text_dims),
        ),
        present=dict(visual=whole, audio=whole, text=whole),
    )
    inputs['second'] = {key: inputs[key] for key in ('imgs', 'audios')}  # for two views
    samples = []
    for number in range(batch_size):
        sample = AffectiveDataSample(metainfo=dict(video_id=str(number)))
        sample.texts = ['word ' * num_cues] * num_segments
        sample.gt_emotion = 0
        samples.append(sample)
    return inputs, samples


def build(cfg: Config) -> AffectiveRecognizer:
    """The config's recogniser in evaluation mode, without values and pretrained weights."""
    init_default_scope(cfg.get('default_scope', 'mart_mm'))
    model = MODELS.build(cfg.model).eval()
    if model.pretext is not None:
        remove_teachers(model.pretext)
    return model.to('meta')


def with_mask_tokens(cfg: Config, model: AffectiveRecognizer) -> Config | None:
    """The config with mask tokens where it drops and the other way round; None where it cannot."""
    pretext, streams = cfg.model.get('pretext'), ('visual', 'audio')
    transformers = [n for n in streams if isinstance(getattr(model.backbone, n), TransformerStream)]
    if pretext is None or not hasattr(model.pretext, 'mask_mode') or not transformers:
        return None
    if model.pretext.mask_stage != 'input':
        return None
    if isinstance(model.pretext, RememberedAffectivePretext):
        return None  # it always drops
    if any(isinstance(b.decoder, LinearDecoder) for b in model.pretext.branches.values()):
        return None  # it reads what the encoder says at hidden places
    by_chance = any(getattr(b.masker, 'mask_prob', 1) < 1 for b in model.pretext.branches.values())
    if by_chance and model.pretext.mask_mode == 'token':
        return None  # segments that hide different numbers of tokens cannot drop them
    other = copy.deepcopy(cfg)
    other.model.pretext.mask_mode = 'token' if model.pretext.mask_mode == 'drop' else 'drop'
    for name in transformers:
        other.model.backbone[name].mask_token = True
    return other


def count_finetune(model: AffectiveRecognizer, batch: tuple) -> StageCount:
    """The forward pass of fine-tuning, which is that of supervised training."""
    model.stage = TrainingStage('finetune', 1, 1)
    counter = PartCounter(model)
    with counter.counting():
        model.loss(*batch)
    return StageCount('finetune', counter.flops(), counter.analytic, {})


def count_pretrain(
    model: AffectiveRecognizer, batch: tuple, progress: float
) -> tuple[StageCount, StageCount | None]:
    """The unmasked and the masked pass of pretraining; the latter is None without maskers."""
    model.stage = TrainingStage('pretrain', 1, 1)
    counter, masked, before = PartCounter(model), {}, []

    def boundary(name: str) -> Callable[[float], None]:
        def on_call(share: float) -> None:
            masked[name] = share
            before[:] = [counter.flops(), counter.analytic]  # the last masker ends the first pass

        return on_call

    branches = dict(getattr(model.pretext, 'branches', {}))
    maskers = {name: branch.masker for name, branch in branches.items()}
    for name, branch in branches.items():
        branch.masker = RecordedMasker(branch.masker, boundary(name))
    model.pretext.mask_progress = progress
    try:
        with counter.counting():
            model.loss(*batch)
    finally:
        for name, branch in branches.items():
            branch.masker = maskers[name]
    flops, analytic = counter.flops(), counter.analytic
    if not before:
        return StageCount('pretrain', flops, analytic, {}), None
    first = StageCount('pretrain, unmasked pass', before[0], before[1], {})
    mode = model.pretext.mask_mode if model.pretext.mask_stage == 'input' else 'decoder only'
    rest = {part: flops[part] - before[0][part] for part in PARTS}
    name = f'pretrain, masked pass, progress {progress:g}, {mode}'
    return first, StageCount(name, rest, analytic - before[1], masked)


def count_parameters(model: AffectiveRecognizer) -> dict[str, int]:
    """Parameters by part, frozen ones included."""
    counts = dict.fromkeys(PARTS, 0)
    fusion_layer = getattr(model.backbone, 'fusion_layer', None)
    for name, parameter in model.named_parameters():
        counts[part_of(name, fusion_layer)] += parameter.numel()
    return counts


def count_config(
    cfg: Config,
    *,
    progress: tuple[float, ...] = (0.0, 1.0),
    batch_size: int = 1,
    num_segments: int | None = None,
    num_cues: int = 8,
) -> tuple[dict[str, int], list[StageCount]]:
    """Parameters by part, and all stages.

    Args:
        cfg: Config with ``model``.
        progress: Places in the pretraining stage, in [0, 1].
        batch_size: Videos B.
        num_segments: Segments S per video; None takes the pipeline's.
        num_cues: Cues K per segment.

    Raises:
        ValueError: When the config does not say how many segments, progress is out of range, or the
            pretext needs more videos.
    """
    if any(not 0 <= value <= 1 for value in progress):
        raise ValueError(f'progress={progress}: give numbers in [0, 1]')
    num_segments = num_segments or find_num_segments(cfg.get('train_dataloader'))
    if num_segments is None:
        raise ValueError('the training pipeline has no SampleSegments: give --num-segments')
    model = build(cfg)
    if model.pretext is not None and batch_size < model.pretext.min_videos:
        raise ValueError(
            f'{type(model.pretext).__name__} compares videos: give --batch-size '
            f'{model.pretext.min_videos} or more'
        )
    batch = synthesise(model, batch_size, num_segments, num_cues)
    parameters, stages = count_parameters(model), [count_finetune(model, batch)]
    for current in _variants(cfg, model):
        for value in progress:
            first, second = count_pretrain(current, batch, value)
            if len(stages) == 1 and first.total:
                stages.append(first)  # it hides nothing: the same for all
            if second is not None:
                stages.append(second)
    return parameters, stages


def _variants(cfg: Config, model: AffectiveRecognizer) -> Iterator[AffectiveRecognizer]:
    if model.pretext is not None:
        yield model
        other = with_mask_tokens(cfg, model)
        if other is not None:
            yield build(other)
