"""Pictures of what the model will see: a config's own pipeline, sample by sample."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import load_checkpoint

from mart_mm.datasets.base import AffectiveDataset
from mart_mm.datasets.collate import affective_collate
from mart_mm.errors import MediaError
from mart_mm.models.recognizers.affective import AffectiveRecognizer
from mart_mm.registry import MODELS
from mart_mm.structures.affective_data_sample import AffectiveDataSample
from mart_mm.visualization.sample import SampleView, SegmentView, draw_sample
from mart_mm.visualization.style import save_figure


class Browsed(NamedTuple):
    """What became of one sample.

    Attributes:
        index: In the data set.
        video_id: Its video.
        pictures: Files drawn, one per view; none when the sample failed.
        line: The sample in one line.
        failure: Why there is no sample; empty where there is one.
    """

    index: int
    video_id: str
    pictures: list[Path]
    line: str
    failure: str = ''


def choose_indices(total: int, num: int, wanted: Sequence[int] | None = None) -> list[int]:
    """The samples asked for, or ``num`` of them spread evenly (lists are often sorted by class).

    Raises:
        IndexError: For a sample that is not there.
    """
    if wanted is None:
        return sorted({round(place) for place in np.linspace(0, total - 1, min(num, total))})
    for index in wanted:
        if not 0 <= index < total:
            raise IndexError(f'sample {index}: the data set has 0 to {total - 1}')
    return list(wanted)


def load_recognizer(cfg: Config, checkpoint: str) -> AffectiveRecognizer:
    """A config's model with the weights of a checkpoint, for predictions on the CPU.

    Raises:
        RuntimeError: When the checkpoint is of another model.
    """
    init_default_scope(cfg.get('default_scope', 'mart_mm'))
    recognizer = MODELS.build(cfg.model)
    load_checkpoint(recognizer, checkpoint, map_location='cpu', strict=True)
    return recognizer.eval()


def browse(
    data_set: AffectiveDataset,
    indices: Sequence[int],
    out: str | Path,
    recognizer: AffectiveRecognizer | None = None,
    frames_per_segment: int = 4,
) -> Iterator[Browsed]:
    """Run the pipeline on each sample, as in the first epoch, and draw what it gives.

    Args:
        data_set: With its pipeline.
        indices: Of the samples.
        out: Folder of the pictures.
        recognizer: Adds its prediction, and the level its verifier gives each cue.
        frames_per_segment: Frames drawn of each segment.
    """
    classes = data_set.metainfo['classes']
    for index in indices:
        record = data_set.get_data_info(index)
        name = record['video_id']
        try:
            packed = data_set.prepare_data(index)
        except MediaError as error:
            line = f'{index:>5}  {name}  FAILED: {error}'
            yield Browsed(index, name, [], line, str(error))
            continue
        if recognizer is not None:
            _predict(recognizer, packed)
        pictures, stem = [], re.sub(r'[^\w.-]+', '_', name)
        for suffix, view in sample_views(packed, classes, frames_per_segment).items():
            file = Path(out) / f'{index:05}_{stem}{suffix}.png'
            pictures.append(save_figure(draw_sample(view), file))
        yield Browsed(index, name, pictures, _line(index, packed, classes, pictures))


@torch.no_grad()
def _predict(recognizer: AffectiveRecognizer, packed: dict) -> None:
    sample = packed['data_samples']
    sample.set_metainfo(dict(failures=[]))
    data = recognizer.data_preprocessor(affective_collate([packed]), False)
    recognizer.predict(data['inputs'], [sample])


def sample_views(
    packed: dict, classes: Sequence[str], frames_per_segment: int
) -> dict[str, SampleView]:
    """What is drawn of a packed sample, by the suffix of its picture.

    A pipeline of two views gives two pictures; words are on the first.

    Args:
        packed: ``inputs`` and ``data_samples`` of one sample.
        classes: Names of the emotion classes.
        frames_per_segment: Frames of each segment, spread evenly over those there are.
    """
    inputs, sample = packed['inputs'], packed['data_samples']
    views = {'': _view(inputs, sample, classes, frames_per_segment, has_words=True)}
    if 'second' in inputs:
        second = inputs['second'] | dict(present=inputs['present'])
        views['_second'] = _view(second, sample, classes, frames_per_segment, has_words=False)
    return views


def _view(
    inputs: dict,
    sample: AffectiveDataSample,
    classes: Sequence[str],
    frames_per_segment: int,
    has_words: bool,
) -> SampleView:
    present = inputs['present']
    label = classes[sample.gt_emotion] if 'gt_emotion' in sample else 'no label'
    view = SampleView(
        title=f'{sample.video_id}: {label}' + ('' if has_words else ', second view'),
        head=[
            'there is: '
            + ', '.join(name if is_there else f'no {name}' for name, is_there in present.items())
        ],
        classes=classes,
    )
    if 'pred_scores' in sample:
        best = sample.pred_scores.argsort(descending=True)[:3].tolist()
        scores = ', '.join(f'{classes[i]} {float(sample.pred_scores[i]):.2f}' for i in best)
        view.head.append(f'predicted: {scores}')
    imgs, audios = inputs.get('imgs'), inputs.get('audios')
    for number, times in enumerate(sample.segment_times.tolist()):
        segment = SegmentView(
            times=tuple(times),
            text=sample.texts[number] if has_words else '',
            cues=sample.cues[number] if has_words else [],
            note=_note(sample, number, classes),
        )
        if imgs is not None and present['visual'] and imgs.ndim == 3:  # features, not pixels
            segment.frames = _heat_map(imgs, number)
        elif imgs is not None and present['visual']:
            frames = imgs[number].permute(1, 2, 3, 0).numpy()  # (T, H, W, 3)
            shown = choose_indices(len(frames), frames_per_segment)
            segment.frames = frames[shown]
        if audios is not None and present['audio']:
            segment.sound = audios[number].numpy()
        view.segments.append(segment)
    return view


def _heat_map(features: torch.Tensor, number: int) -> np.ndarray:
    """Features (S, N, D) of a segment as one grey picture (1, D, N, 3) of the video's own range."""
    low, high = features.min(), features.max()
    grey = ((features[number].T - low) / (high - low).clamp(min=1e-6) * 255).to(torch.uint8)
    return grey.numpy()[None, ..., None].repeat(3, axis=3)


def _note(sample: AffectiveDataSample, number: int, classes: Sequence[str]) -> str:
    lines = []
    for key, name in (('gt_distribution', 'label'), ('temporal_scores', 'predicted')):
        if key in sample:
            scores = sample.get(key)[number]
            best = int(scores.argmax())
            if float(scores[best]) > 0:
                lines.append(f'{name}:\n{classes[best]} {float(scores[best]):.2f}')
    return '\n'.join(lines)


def _line(index: int, packed: dict, classes: Sequence[str], pictures: Sequence[Path]) -> str:
    sample, present = packed['data_samples'], packed['inputs']['present']
    label = classes[sample.gt_emotion] if 'gt_emotion' in sample else '-'
    cues = [cue for segment in sample.cues for cue in segment]
    named = Counter(classes[c['emotion_class']] for c in cues if c['emotion_class'] >= 0)
    counts = ', '.join(f'{name} {count}' for name, count in named.most_common(3))
    times = sample.segment_times
    parts = [
        f'{index:>5}  {sample.video_id}',
        label,
        f'{len(times)} segments {float(times[0, 0]):.1f}-{float(times[-1, 1]):.1f} s',
        '+'.join(name for name, is_there in present.items() if is_there),
        f'{len(cues)} cues' + (f' ({counts})' if counts else ''),
    ]
    if 'pred_emotion' in sample:
        parts.append(f'predicted {classes[sample.pred_emotion]}')
    return '  '.join([*parts, '-> ' + ', '.join(picture.name for picture in pictures)])
