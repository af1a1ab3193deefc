"""Pictures of what a trained MART does with a video of a config's data set."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from mart_mm.apis.browse import choose_indices
from mart_mm.apis.inspection import Inspection, inspect, is_true_word
from mart_mm.apis.video_batch import VideoBatch
from mart_mm.errors import unknown_name
from mart_mm.models.maskers.base import rank
from mart_mm.models.maskers.emotion import EmotionMasker
from mart_mm.models.pretext.masked_affective import AffectiveView, MaskedAffectivePretext
from mart_mm.models.recognizers.affective import AffectiveRecognizer
from mart_mm.registry import MODELS
from mart_mm.visualization.attention import WordAttention, draw_attention
from mart_mm.visualization.masks import draw_masks, hide_patches
from mart_mm.visualization.recovery import draw_recovery
from mart_mm.visualization.style import level_name
from mart_mm.visualization.timeline import draw_timeline

#: other strategies that MART's is held against, by the name of a picture's row
OTHER_MASKERS = {
    'random': dict(type='RandomMasker'),
    'tube': dict(type='TubeMasker'),
    'frame': dict(type='FrameMasker'),
    'attention': dict(type='AttentionMasker', kind='high'),
}
PROGRESS = (0.05, 0.2, 0.35, 1.0)


def mask_picture(
    recognizer: AffectiveRecognizer,
    video: VideoBatch,
    *,
    progress: Sequence[float] = PROGRESS,
    others: Sequence[str] = tuple(OTHER_MASKERS),
    seed: int = 0,
) -> Figure:
    """Masks of the same frames as pretraining proceeds, and those of other strategies (paper Fig. 4).

    The weights are the checkpoint's throughout; what changes is how much is hidden. The other
    strategies hide as much as the last mask does.

    Args:
        recognizer: With MART's pretext.
        video: Whose frames are drawn: the first of each segment, under the first tubelet's mask.
        progress: Places in the pretraining stage, in [0, 1].
        others: Names in :data:`OTHER_MASKERS`.
        seed: Of the random ones.

    Raises:
        ValueError: For an unknown strategy, or a pretext that does not mask frames.
    """
    for name in others:
        if name not in OTHER_MASKERS:
            raise ValueError(unknown_name('masking strategy', name, OTHER_MASKERS))
    masks, hints, found = {}, {}, None
    for place in progress:
        found = inspect(recognizer, video.batch, place)
        is_masked = _visual(found, 'mask')
        name = f'{_own_name(recognizer)} at {place:.0%} of pretraining: {is_masked.float().mean():.0%} hidden'
        masks[name] = _first_tubelet(recognizer, is_masked)
        hint = _hints(recognizer.pretext, found.view)
        if hint is not None and hint.any():
            hints[name] = _first_tubelet(recognizer, hint)
    share = float(_visual(found, 'mask').float().mean())
    generator = torch.Generator().manual_seed(seed)
    for name in others:
        is_masked = _other(recognizer, found.view, name, share, generator)
        masks[f'{name} masking: {is_masked.float().mean():.0%} hidden'] = _first_tubelet(
            recognizer, is_masked
        )
    plan = video.plan
    return draw_masks(
        video.frames[:, 0],
        masks,
        _segment_labels(video),
        plan and plan['patches'],
        hints,
        title=f'{video.video_id}: the first tubelet of each segment, by the same weights throughout',
    )


def recovery_picture(
    recognizer: AffectiveRecognizer, video: VideoBatch, *, progress: float = 1.0
) -> Figure:
    """The recovered emotion distribution against its target, below the masked frames (Fig. 6b).

    Args:
        recognizer: With MART's pretext.
        video: Which is drawn.
        progress: Place in the pretraining stage, in [0, 1]: how much is hidden.

    Raises:
        ValueError: When no target of the pretext recovers the distribution.
    """
    found = inspect(recognizer, video.batch, progress)
    if found.recovered is None:
        raise ValueError(
            "no target of the model's pretext recovers the classes' distribution: give a config with an "
            'EmotionDistributionTarget of axis="class"'
        )
    frames = None
    if 'visual' in found.is_masked:
        masks = _first_tubelet(recognizer, found.is_masked['visual'])
        frames = np.stack(
            [hide_patches(f, m) for f, m in zip(video.frames[:, 0], masks, strict=True)]
        )
    return draw_recovery(
        found.samples[0].segment_times.numpy(),
        found.target[0].numpy(),
        found.recovered[0].numpy(),
        video.classes,
        video.video_id,
        video.truth,
        frames,
    )


def attention_picture(
    recognizer: AffectiveRecognizer,
    video: VideoBatch,
    *,
    level: int = 3,
    max_words: int = 8,
    max_tubelets: int = 6,
) -> Figure:
    """Where each verified word looks in the frames of its segment (Eq. 4).

    Args:
        recognizer: With MART's pretext.
        video: Which is drawn.
        level: Words that reached it, 0 to 3.
        max_words: Words drawn, spread evenly over those there are.
        max_tubelets: Of each, likewise.

    Raises:
        ValueError: When no word reached the level.
    """
    found = inspect(recognizer, video.batch)
    sample = found.samples[0]
    words = [
        (segment, place, cue)
        for segment, cues in enumerate(sample.cues)
        for place, cue in enumerate(cues)
        if cue.get('level', -1) >= level
    ]
    if not words:
        raise ValueError(
            f'{video.video_id}: none of {sum(map(len, sample.cues))} words reached level {level}: '
            'give a lower level or another video'
        )
    grid, frames = recognizer.backbone.visual.spec.grid, video.frames
    tubelets = choose_indices(grid[0], max_tubelets)
    rows = []
    for index in choose_indices(len(words), max_words):
        segment, place, cue = words[index]
        weights = found.view.aware['visual'].attention[segment, place].unflatten(0, grid)
        rows.append(
            WordAttention(
                cue['word'],
                f'{cue["start"]:.1f} s, {level_name(cue["level"])}'
                + (', planted' if video.plan and is_true_word(cue, video.plan['words']) else ''),
                np.stack([frames[segment, t * frames.shape[1] // grid[0]] for t in tubelets]),
                weights[tubelets].float().numpy(),
                video.plan['patches'][segment] if video.plan else (),
            )
        )
    shown = f'{len(rows)} of {len(words)} words' if len(rows) < len(words) else 'the words'
    reached = 'of the lexicon' if level == 0 else f'that passed {level_name(level)}'
    return draw_attention(rows, f'{video.video_id}: where {shown} {reached} look')


def timeline_picture(recognizer: AffectiveRecognizer, video: VideoBatch) -> Figure:
    """The temporal emotion scores, the recovered ones, and the words (Fig. 1 and 6)."""
    found = inspect(recognizer, video.batch)
    sample = found.samples[0]
    cues = [cue for segment in sample.cues for cue in segment]
    if video.plan is not None:
        cues = [dict(cue, is_true=is_true_word(cue, video.plan['words'])) for cue in cues]
    curves = {'temporal CAM': found.view.distribution[0].numpy()}
    if found.recovered is not None:
        curves['recovered'] = found.recovered[0].numpy()
    return draw_timeline(
        sample.segment_times.numpy(),
        curves,
        video.classes,
        cues,
        f'{video.video_id}: predicted {video.classes[sample.pred_emotion]}',
        video.truth,
        emphasis=None if video.truth else sample.pred_emotion,
    )


def _own_name(recognizer: AffectiveRecognizer) -> str:
    masker = recognizer.pretext.branches['visual'].masker
    if isinstance(masker, EmotionMasker):
        return 'MART'
    return type(masker).__name__.removesuffix('Masker').lower()


def _visual(found: Inspection, what: str) -> Tensor:
    """The frames' mask, bool (BS, N)."""
    if 'visual' not in found.is_masked:
        raise ValueError(f"the model's pretext masks no frames, there is no {what} to draw")
    return found.is_masked['visual']


def _first_tubelet(recognizer: AffectiveRecognizer, tokens: Tensor) -> np.ndarray:
    """Bool (S, h, w) of a video's tokens, bool (S, N)."""
    return tokens.unflatten(1, recognizer.backbone.visual.spec.grid)[:, 0].numpy()


def _hints(pretext: MaskedAffectivePretext, view: AffectiveView) -> Tensor | None:
    """Tokens on top that stay visible (Eq. 7), bool (BS, N); None where chance reveals, or nothing does."""
    masker = pretext.branches['visual'].masker
    if not isinstance(masker, EmotionMasker) or masker.reveal != 'top':
        return None
    ranks = rank(pretext.scores(view, 'visual'))
    return ranks < masker.counts(ranks.shape[1], pretext.mask_progress)[1]


def _other(
    recognizer: AffectiveRecognizer,
    view: AffectiveView,
    name: str,
    share: float,
    generator: torch.Generator,
) -> Tensor:
    """Mask of another strategy that hides this share, bool (BS, N)."""
    config = dict(OTHER_MASKERS[name])
    config |= dict(r_min=share, r_max=share) if name == 'attention' else dict(ratio=share)
    scores = view.output.visual_attention
    return MODELS.build(config)(
        scores,
        recognizer.backbone.visual.spec.grid,
        1.0,
        batch_size=len(scores),
        generator=generator,
    )


def _segment_labels(video: VideoBatch) -> list[str]:
    times = video.batch['data_samples'][0].segment_times.tolist()
    labels = [f'{start:.1f}-{end:.1f} s' for start, end in times]
    if video.truth is None:
        return labels
    index, degrees = video.truth
    return [
        f'{label} {video.classes[index]} {degree:.2f}'
        for label, degree in zip(labels, degrees, strict=True)
    ]
