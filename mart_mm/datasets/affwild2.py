"""AffWild2 (Kollias and Zafeiriou, 2018): faces in the wild, labelled frame by frame."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mart_mm.datasets.annotation_text import read_text
from mart_mm.datasets.base import AffectiveDataset
from mart_mm.datasets.remote import exists, is_address
from mart_mm.errors import shown
from mart_mm.registry import DATASETS

EXPRESSIONS = (
    'Neutral', 'Anger', 'Disgust', 'Fear', 'Happiness', 'Sadness', 'Surprise', 'Other',
)  # fmt: skip
#: regions of the valence-arousal plane: near its origin, then its quadrants
AFFECT_REGIONS = ('neutral', 'excited', 'distressed', 'depressed', 'relaxed')
_MOODS = dict(
    anger='Anger',
    disgust='Disgust',
    fear='Fear',
    joy='Happiness',
    sadness='Sadness',
    eagerness='Happiness',
    calmness='Happiness',
    pleasantness='Happiness',
)
_IGNORED_EXPRESSION, _IGNORED_AFFECT = -1, -5.0


def read_expressions(path: str | Path) -> np.ndarray:
    """Expression of each frame, int64 (frames,): an index of :data:`EXPRESSIONS`, -1 for none.

    Args:
        path: A header with the seven or eight classes, then one number per frame.

    Raises:
        ValueError: Naming file, line and remedy.
    """
    header, lines = _lines(path)
    names = tuple(name.strip() for name in header.split(','))
    if names not in (EXPRESSIONS, EXPRESSIONS[:7]):
        raise ValueError(
            f'{path}: the first line must be {",".join(EXPRESSIONS)}, not {shown(header)}'
        )
    numbers = {str(number): number for number in range(-1, len(names))}
    values = np.empty(len(lines), dtype=np.int64)
    for index, line in enumerate(lines):
        if line not in numbers:
            raise ValueError(
                f'{path}, line {index + 2}: {shown(line)} is no class from -1 to {len(names) - 1}'
            )
        values[index] = numbers[line]
    return values


def read_valence_arousal(path: str | Path) -> np.ndarray:
    """Valence and arousal of each frame, float64 (frames, 2) in [-1, 1], nan where ignored.

    Args:
        path: The header ``valence,arousal``, then a pair per frame, -5 where there is no label.

    Raises:
        ValueError: Naming file, line and remedy.
    """
    header, lines = _lines(path)
    if header.replace(' ', '').lower() != 'valence,arousal':
        raise ValueError(f'{path}: the first line must be "valence,arousal", not {shown(header)}')
    values = np.empty((len(lines), 2))
    for index, line in enumerate(lines):
        try:
            pair = [float(part) for part in line.split(',')]
        except ValueError:
            pair = []
        is_ignored = _IGNORED_AFFECT in pair
        if len(pair) != 2 or not (is_ignored or all(-1 <= value <= 1 for value in pair)):
            raise ValueError(
                f'{path}, line {index + 2}: {shown(line)} is no pair in [-1, 1] (or -5 for none)'
            )
        values[index] = np.nan if is_ignored else pair
    return values


def _lines(path: str | Path) -> tuple[str, list[str]]:
    lines = read_text(path).split('\n')
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise ValueError(f'{path}: the file is empty')
    return lines[0].strip(), [line.strip() for line in lines[1:]]


def affect_regions(valence_arousal: np.ndarray, neutral_radius: float) -> np.ndarray:
    """Region of the circumplex (Russell, 1980) of each frame.

    Args:
        valence_arousal: (frames, 2), nan where ignored.
        neutral_radius: Distance from the origin below which a frame is neutral.

    Returns:
        int64 (frames,), an index of :data:`AFFECT_REGIONS`, -1 where ignored.
    """
    valence, arousal = valence_arousal.T
    quadrant = np.select(
        [(valence >= 0) & (arousal >= 0), arousal >= 0, valence < 0], [1, 2, 3], default=4
    )
    regions = np.where(np.hypot(valence, arousal) < neutral_radius, 0, quadrant)
    return np.where(np.isnan(valence) | np.isnan(arousal), -1, regions)


@DATASETS.register_module()
class AffWild2(AffectiveDataset):
    """Windows of long videos; the label is the most frequent class of a window's frames.

    Presets: ``'8-way'`` and ``'7-way'`` (without Other, whose frames are ignored) read expression
    files, ``'valence_arousal'`` reads valence and arousal and takes as classes the quadrants of their
    plane and its centre. Either way each segment gets its frames' shares of the classes
    (``gt_distribution``). A window needs enough labelled frames, or it is left out and counted; ties
    go to the class listed first. ``ann_file`` is the folder of a split's files.

    Args:
        window_frames: Length of a window.
        stride_frames: Distance of windows; default: their length.
        min_labelled: Share of a window's frames that must have a label.
        neutral_radius: Of ``'valence_arousal'``.
        faces: Use the folders of cropped faces instead of the videos. The sound is the video's; without
            the video there is none.
        fps: Frames per second of folders of faces whose video is not there.
        kwargs: See :class:`AffectiveDataset`; ``data_prefix`` has ``video``, ``transcript`` and, for
            ``faces``, ``face``.

    Raises:
        ValueError: For an option out of range.
    """

    PRESETS = {
        '8-way': dict(
            classes=list(EXPRESSIONS),
            polarity=[0, -1, -1, -1, 1, -1, 1, 0],
            mood_table=_MOODS,
        ),
        '7-way': dict(
            classes=list(EXPRESSIONS[:7]),
            polarity=[0, -1, -1, -1, 1, -1, 1],
            mood_table=_MOODS,
        ),
        'valence_arousal': dict(
            classes=list(AFFECT_REGIONS),
            polarity=[0, 1, -1, -1, 1],
            mood_table=dict(
                joy='excited',
                eagerness='excited',
                anger='distressed',
                fear='distressed',
                disgust='distressed',
                sadness='depressed',
                calmness='relaxed',
                pleasantness='relaxed',
            ),
        ),
    }
    METAINFO = PRESETS['8-way']
    EXPECTED_TREE = """{root}/
  annotations/EXPR_Recognition_Challenge/Train_Set/name.txt   one number per frame
  annotations/EXPR_Recognition_Challenge/Validation_Set/
  annotations/VA_Estimation_Challenge/...                     valence,arousal per frame
  videos/name.mp4
  cropped_aligned/name/00001.jpg                              optional, faces=True
  subtitles/name.srt                                          optional (.srt, .vtt, .ass)"""
    PREPARE_COMMAND = (
        'tools/data/affwild2/README.md says how to get it; or plant a data set of the same layout: '
        'mart-mm plant --layout affwild2 --out {root}'
    )
    SPLIT_RULE = 'the folders Train_Set and Validation_Set; labels of the test set are not public'

    def __init__(
        self,
        *,
        preset: str | None = None,
        window_frames: int = 360,
        stride_frames: int | None = None,
        min_labelled: float = 0.5,
        neutral_radius: float = 0.2,
        faces: bool = False,
        fps: float = 30.0,
        data_prefix: dict | None = None,
        **kwargs: object,
    ) -> None:
        stride_frames = window_frames if stride_frames is None else stride_frames
        if min(window_frames, stride_frames) < 1 or not 0 < min_labelled <= 1:
            raise ValueError(
                f'AffWild2: window_frames={window_frames}, stride_frames={stride_frames}, '
                f'min_labelled={min_labelled}: at least one frame, and a share in (0, 1]'
            )
        self.window_frames, self.stride_frames = window_frames, stride_frames
        self.min_labelled, self.neutral_radius = min_labelled, neutral_radius
        self.preset, self.faces, self.fps = preset or '8-way', faces, fps
        prefix = dict(video='videos', transcript='subtitles', face='cropped_aligned')
        super().__init__(preset=preset, data_prefix=prefix | (data_prefix or {}), **kwargs)

    def _required(self) -> list[Path]:
        folder = self.data_prefix['face' if self.faces else 'video']
        return [Path(self.data_root), Path(self.ann_file), Path(folder)]

    def read_annotations(self) -> list[dict]:
        """One record per window.

        Raises:
            FileNotFoundError: When the folder holds no annotation.
        """
        files = sorted(p for p in Path(self.ann_file).glob('*.txt') if not p.name.startswith('.'))
        if not files:
            raise FileNotFoundError(
                f'AffWild2: {self.ann_file} holds no .txt file; it must be the folder of a split'
            )
        records, left_out = [], 0
        for path in files:
            classes = self._classes(path)
            for start, stop, label in self._windows(classes):
                if label < 0:
                    left_out += 1
                else:
                    records.append(self._record(path.stem, start, stop, label, classes))
        if left_out:
            self.say(
                f'{left_out} windows with less than {self.min_labelled:.0%} labelled frames left out'
            )
        return records

    def _classes(self, path: Path) -> np.ndarray:
        """Class of each frame, -1 for none."""
        if self.preset == 'valence_arousal':
            return affect_regions(read_valence_arousal(path), self.neutral_radius)
        classes = read_expressions(path)
        return np.where(classes < len(self.metainfo['classes']), classes, _IGNORED_EXPRESSION)

    def _windows(self, classes: np.ndarray) -> Iterator[tuple[int, int, int]]:
        """(start, stop, label) of each window; the label is -1 where too few frames have one.

        A rest shorter than a window is one if it is at least half as long, or all there is.
        """
        for start in range(0, len(classes), self.stride_frames):
            stop = min(start + self.window_frames, len(classes))
            if start and 2 * (stop - start) < self.window_frames:
                return
            labelled = classes[start:stop][classes[start:stop] >= 0]
            is_enough = len(labelled) >= self.min_labelled * (stop - start)
            yield start, stop, int(np.bincount(labelled).argmax()) if is_enough else -1

    def _record(self, name: str, start: int, stop: int, label: int, classes: np.ndarray) -> dict:
        video = re.sub(r'_(left|right)$', '', name)
        videos = self.data_prefix['video']
        whole = self.find_video(videos, name)
        # two faces of one video have an annotation each, the second one named after its side
        media = name if exists(whole) and not is_address(whole) else video
        path = self.find_video(videos, media)
        record = dict(
            video_id=f'{name}#{start}-{stop}',
            media=media,
            start_frame=start,
            stop_frame=stop,
            gt_emotion=label,
            frame_classes=classes[start:stop].astype(np.int8),
        )
        if self.faces:
            record['video_path'] = str(Path(self.data_prefix['face']) / name)
            record['audio_path'] = path if exists(path) else ''
            record['fps'] = self.fps
        return record
