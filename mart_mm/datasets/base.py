"""The data set contract: one record per video, unreadable videos reported and not fatal."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections import Counter
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from mmengine.dataset import BaseDataset, Compose
from mmengine.logging import print_log

from mart_mm.datasets.cache import FileCache
from mart_mm.datasets.guard import ReadingGuard
from mart_mm.datasets.media.open_video import announced_seconds
from mart_mm.datasets.remote import exists, is_address, is_remote, local_copies, located
from mart_mm.errors import MediaError, TooManyFailuresError, unknown_name
from mart_mm.lexicon.mood_map import MoodMap
from mart_mm.registry import TRANSFORMS
from mart_mm.structures.affective_data_sample import AffectiveDataSample
from mart_mm.utils.randomness import seeded_globals

VIDEO_SUFFIXES = ('.mp4', '.mkv', '.avi', '.webm', '.mov', '.flv', '.wmv')
SENTIMENTS = ('three-way', 'two-way')


def build_transforms(steps: list[dict | Callable]) -> list[Callable]:
    """Transforms of a pipeline."""
    return [TRANSFORMS.build(step) if isinstance(step, dict) else step for step in steps]


class AffectiveDataset(BaseDataset):
    """Videos with an emotion label, their sound and their subtitles.

    A subclass holds what is its data set's own: ``METAINFO`` with ``classes`` in the public order,
    their ``polarity`` and the ``mood_table`` (or several of them by name in ``PRESETS``, the default
    first), ``EXPECTED_TREE``, ``PREPARE_COMMAND`` and ``SPLIT_RULE`` for messages, and the reader of
    its lists.

    A record has ``video_id`` (unique) and ``gt_emotion``, and where they differ from the usual:

    ============================ ================================================================
    ``media``                    the file's path below the video folder, no suffix (``video_id``)
    ``video_path``               the file, or a folder of numbered frames
    ``audio_path``               the file whose sound is used (``video_path``)
    ``start``, ``end``           seconds; only this part of the file is used
    ``start_frame, stop_frame``  the same in frames
    ``crop``                     (x0, y0, x1, y1), the part of the picture used, in fractions of it
    ``lines``                    the transcript, (start, end, text) in seconds of the file
    ``frame_classes``            int array, the class of each of the record's frames, -1 for none
    ``features``                 modality -> file of precomputed features
    ============================ ================================================================

    Files may lie behind an address (``https://...``) or in a tar archive (``videos.tar/joy/1.mp4``), see
    :mod:`mart_mm.datasets.remote`; ``data_prefix`` too. Lists are read from local files.

    Randomness of the pipeline comes from (seed, epoch, index) alone: a resumed run augments as the
    run it continues. A video that cannot be read is replaced by the next one in training and set
    aside in testing; either way the sample says so (``failures``, ``failed``).

    Args:
        ann_file: Annotation file, absolute or below ``data_root``.
        data_root: Folder of the data set.
        data_prefix: Folders of ``video`` and ``transcript`` below ``data_root``.
        pipeline: Transforms.
        pretrain_pipeline: Transforms of the pretraining stage, where they differ (two views, other
            augmentation).
        test_mode: Whether samples are for evaluation.
        seed: Of the augmentation.
        max_refetch: Videos tried in place of an unreadable one.
        read_timeout: Seconds that reading a record may take. Each worker of a loader reads in a process
            of its own: where that crashes, or is ended because it takes longer, the record is
            unreadable. With None, with ``num_workers=0`` and where processes cannot be forked
            (Windows) there is none, and a crash ends the run.
        preset: Name in ``PRESETS``, where the data set has several sets of classes.
        sentiment: ``'three-way'``: negative, neutral, positive; ``'two-way'``: classes of neutral
            polarity count as not negative. The same where no class is neutral.
        mood_table: Class of each of the lexicon's moods, in place of the data set's own.
        cache: Arguments of :class:`~mart_mm.datasets.cache.FileCache` for what transforms compute
            (log-mel, cues) and for copies of what is not local; None makes it anew each time.
        backend_args: Of MMEngine's file backend for addresses; None chooses it by their scheme.
        metainfo: Overrides of ``METAINFO``.
        indices: Number of leading records, or their indices.
        filter_cfg: As in MMEngine.

    Raises:
        FileNotFoundError: When the folder or the list is missing, with the expected tree.
        ValueError: For an unknown preset or sentiment, with the valid ones; for no record.
    """

    PRESETS: dict[str, dict] = {}
    EXPECTED_TREE = ''
    PREPARE_COMMAND = ''
    SPLIT_RULE = ''

    def __init__(
        self,
        *,
        ann_file: str = '',
        data_root: str,
        pipeline: list[dict | Callable],
        pretrain_pipeline: list[dict | Callable] | None = None,
        data_prefix: dict | None = None,
        test_mode: bool = False,
        seed: int = 0,
        max_refetch: int = 10,
        read_timeout: float | None = 300.0,
        preset: str | None = None,
        sentiment: str = 'three-way',
        mood_table: dict | None = None,
        cache: dict | None = None,
        backend_args: dict | None = None,
        metainfo: dict | None = None,
        indices: int | list[int] | None = None,
        filter_cfg: dict | None = None,
    ) -> None:
        for name, path in dict(data_root=data_root, ann_file=ann_file).items():
            if is_address(path):
                raise ValueError(
                    f'{type(self).__name__}: {name}={path}: lists are read from local files; give the '
                    'address of the videos as data_prefix.video'
                )
        if indices is not None and not (indices if isinstance(indices, int) else len(indices)):
            raise ValueError(f'{type(self).__name__}: indices={indices} leaves no record')
        self.seed = seed
        metainfo = self.preset_metainfo(preset, sentiment) | (metainfo or {})
        if mood_table is not None:
            metainfo['mood_table'] = mood_table
        self.mood_map = MoodMap(metainfo['classes'], metainfo['mood_table'])
        self.cache = cache and FileCache(**cache)
        self.backend_args = backend_args
        # shared memory, so that persistent workers see the epoch and the stage too
        self._epoch = torch.zeros(1, dtype=torch.int64).share_memory_()
        self._is_pretraining = torch.zeros(1, dtype=torch.bool).share_memory_()
        self.pretrain_pipeline = pretrain_pipeline and Compose(build_transforms(pretrain_pipeline))
        super().__init__(
            ann_file=ann_file,
            metainfo=metainfo,
            data_root=data_root,
            data_prefix=data_prefix or dict(video='videos', transcript='subtitles'),
            filter_cfg=filter_cfg,
            indices=indices,
            pipeline=build_transforms(pipeline),
            test_mode=test_mode,
            max_refetch=max_refetch,
        )
        self._guard = ReadingGuard(self.prepare_data, len(self), read_timeout)

    @classmethod
    def preset_metainfo(cls, preset: str | None = None, sentiment: str = 'three-way') -> dict:
        """Classes, polarity and mood table of a preset.

        Raises:
            ValueError: For an unknown name, with the valid ones.
        """
        if sentiment not in SENTIMENTS:
            raise ValueError(f'{cls.__name__}: sentiment={sentiment!r}: choose one of {SENTIMENTS}')
        if preset is None:
            chosen = next(iter(cls.PRESETS.values()), cls.METAINFO)
        elif preset in cls.PRESETS:
            chosen = cls.PRESETS[preset]
        else:
            raise ValueError(f'{cls.__name__}: {unknown_name("preset", preset, list(cls.PRESETS))}')
        metainfo = copy.deepcopy(dict(chosen))
        if sentiment == 'two-way' and 'polarity' in metainfo:
            metainfo['polarity'] = [1 if sign == 0 else sign for sign in metainfo['polarity']]
        return metainfo

    @abstractmethod
    def read_annotations(self) -> list[dict]:
        """Records as the class describes them."""

    def load_data_list(self) -> list[dict]:
        """Records with the paths of their files; a file that is missing fails when it is read."""
        self._check_layout()
        videos = self.data_prefix.get('video', '')
        transcripts = self.data_prefix.get('transcript', '')
        records = self.read_annotations()
        if not records:
            raise ValueError(f'{type(self).__name__}: {self.ann_file or self.data_root}: no record')
        twice = [name for name, n in Counter(r['video_id'] for r in records).items() if n > 1]
        if twice:
            raise ValueError(
                f'{self.ann_file or self.data_root}: listed more than once: {twice[:5]}; remove '
                'the others, or give each part its own times'
            )
        found: dict[str, str] = {}  # many records may be parts of one file
        for record in records:
            media = record.pop('media', record['video_id'])
            if 'video_path' not in record:
                if media not in found:
                    found[media] = self.find_video(videos, media)
                record['video_path'] = found[media]
            record.setdefault('transcript_path', str(Path(transcripts) / media))
        self._report(records)
        return records

    def _required(self) -> list[str]:
        """What must exist before annotations are read."""
        return [self.data_root, self.ann_file, self.data_prefix['video']]

    def _check_layout(self) -> None:
        for path in self._required():
            if not exists(path):
                raise FileNotFoundError(
                    f'{type(self).__name__}: {path} does not exist. Expected:\n'
                    f'{self.EXPECTED_TREE.format(root=self.data_root)}\n'
                    f'How to get it: {self.PREPARE_COMMAND.format(root=self.data_root)}'
                )

    @staticmethod
    def find_video(folder: str | Path, media: str) -> str:
        """The file of a video, whatever its suffix; one that is missing gets the first suffix.

        Behind an address nothing is looked for: there videos have the first suffix.

        Args:
            folder: Of the videos; a folder, an address or a tar archive.
            media: Path below it without suffix; dots in its name are kept.
        """
        for suffix in VIDEO_SUFFIXES:
            path = located(folder, f'{media}{suffix}')
            if exists(path):
                return path
        return located(folder, f'{media}{VIDEO_SUFFIXES[0]}')

    def _report(self, records: list[dict]) -> None:
        """Say what was loaded: counts per class, and how the split is made."""
        counts = Counter(record['gt_emotion'] for record in records)
        shares = ', '.join(f'{name} {counts[i]}' for i, name in enumerate(self.metainfo['classes']))
        rule = f'; split: {self.SPLIT_RULE}' if self.SPLIT_RULE else ''
        where = self.ann_file or self.data_root
        self.say(f'{len(records)} records in {where}: {shares}{rule}')

    def say(self, message: str) -> None:
        """Log a line about this data set."""
        print_log(f'{type(self).__name__}: {message}', logger='current')

    def class_index(self, name: str, where: str) -> int:
        """Index of a class by name.

        Args:
            name: As the annotation has it.
            where: File and line, for the error.

        Raises:
            ValueError: With the nearest valid names.
        """
        classes = self.metainfo['classes']
        if name not in classes:
            raise ValueError(f'{where}: {unknown_name("emotion class", name, classes)}')
        return classes.index(name)

    @cached_property
    def record_names(self) -> list[set[str]]:
        """What a failure may call each record: its id, its video, its sound, its files of features."""
        names = []
        for index in range(len(self)):
            record = self.get_data_info(index)
            files = (record.get(key) for key in ('video_id', 'video_path', 'audio_path'))
            names.append({*files, *record.get('features', {}).values()} - {None, ''})
        return names

    def decoded_seconds(self, index: int) -> float:
        """Length of the part of a video that a record uses; nothing is decoded to know it.

        A record that is no part of a file has the length in the file's header; 0 where that cannot be
        read, and where frames lie in a folder or features in files. Records in frames count 30 of
        them, or their ``fps``, for a second.
        """
        record = self.get_data_info(index)
        if 'start_frame' in record:
            return (record['stop_frame'] - record['start_frame']) / (record.get('fps') or 30.0)
        start, end = float(record.get('start') or 0.0), record.get('end')
        if end is None:
            end = announced_seconds(record.get('video_path', ''))
        return max(0.0, float(end) - start)

    def set_epoch(self, epoch: int) -> None:
        """Tell the data set the epoch, which seeds the augmentation."""
        self._epoch.fill_(epoch)

    def set_stage(self, stage: str) -> None:
        """Tell the data set the stage, ``'pretrain'`` or ``'finetune'``, which chooses the pipeline."""
        self._is_pretraining.fill_(stage == 'pretrain')

    def __getitem__(self, index: int) -> dict:
        """One sample: ``inputs`` and ``data_samples``.

        Raises:
            TooManyFailuresError: When ``max_refetch`` further videos cannot be read either.
        """
        if not self._fully_initialized:
            self.full_init()
        failures: list[tuple[str, str]] = []
        tries = 1 if self.test_mode else min(self.max_refetch + 1, len(self))
        for attempt in range(tries):
            try:
                sample = self._guard.read((index + attempt) % len(self), self._file_of)
            except MediaError as error:
                failures.append((error.path, error.reason))
                continue
            sample['data_samples'].set_metainfo(dict(failures=failures))
            return sample
        if self.test_mode:
            return dict(data_samples=self._failed_sample(index, failures))
        listing = '\n  '.join(f'{path}: {reason}' for path, reason in failures)
        raise TooManyFailuresError(
            f'{len(failures)} videos in a row could not be read '
            f'(max_refetch={self.max_refetch}):\n  {listing}'
        )

    def prepare_data(self, index: int) -> dict:
        """Run the pipeline on a record, with its own source of randomness."""
        record = self.get_data_info(index)
        epoch = 0 if self.test_mode else int(self._epoch)
        record['mood_map'], record['cache'] = self.mood_map, self.cache
        record['rng'] = np.random.default_rng((self.seed, epoch, index))
        is_pretraining = self.pretrain_pipeline and self._is_pretraining
        pipeline = self.pretrain_pipeline if is_pretraining else self.pipeline
        with (
            local_copies(record, self.cache, self.backend_args) as local,
            seeded_globals(self.seed, epoch, index),  # transforms of others draw from these
        ):
            sample = pipeline(local)
        if is_remote(record.get('video_path', '')):
            sample['data_samples'].set_metainfo(dict(video_path=record['video_path']))
        return sample

    def _file_of(self, index: int) -> str:
        """What a record is read from, to name it by."""
        record = self.get_data_info(index)
        files = (record.get('video_path'), *record.get('features', {}).values())
        return str(next(filter(None, files), record['video_id']))

    def _failed_sample(self, index: int, failures: list[tuple[str, str]]) -> AffectiveDataSample:
        record = self.get_data_info(index)
        sample = AffectiveDataSample(
            metainfo=dict(
                video_id=record['video_id'],
                video_path=record.get('video_path', ''),
                failures=failures,
            )
        )
        sample.gt_emotion = record['gt_emotion']
        sample.failed = failures[-1][1]
        return sample
