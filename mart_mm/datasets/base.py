"""The data set contract: one record per video, unreadable videos reported and not fatal."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log

from mart_mm.errors import MediaError, TooManyFailuresError, unknown_name
from mart_mm.registry import TRANSFORMS
from mart_mm.structures.affective_data_sample import AffectiveDataSample

VIDEO_SUFFIXES = ('.mp4', '.mkv', '.avi', '.webm', '.mov', '.flv', '.wmv')


class AffectiveDataset(BaseDataset):
    """Videos with an emotion label, their sound and their subtitles.

    A subclass holds what is its data set's own: ``METAINFO`` with ``classes`` in the public order,
    ``EXPECTED_TREE`` and ``PREPARE_COMMAND`` for the error message, and the reader of its lists.

    Randomness of the pipeline comes from (seed, epoch, index) alone: a resumed run augments as the
    run it continues. A video that cannot be read is replaced by the next one in training and set
    aside in testing; either way the sample says so (``failures``, ``failed``).

    Args:
        ann_file: Annotation file, absolute or below ``data_root``.
        data_root: Folder of the data set.
        data_prefix: Folders of ``video`` and ``transcript`` below ``data_root``.
        pipeline: Transforms.
        test_mode: Whether samples are for evaluation.
        seed: Of the augmentation.
        max_refetch: Videos tried in place of an unreadable one.
        metainfo: Overrides of ``METAINFO``.
        indices: Number of leading records, or their indices.
        filter_cfg: As in MMEngine.

    Raises:
        FileNotFoundError: When the folder or the list is missing, with the expected tree.
    """

    EXPECTED_TREE = ''
    PREPARE_COMMAND = ''

    def __init__(
        self,
        *,
        ann_file: str,
        data_root: str,
        pipeline: list[dict | Callable],
        data_prefix: dict | None = None,
        test_mode: bool = False,
        seed: int = 0,
        max_refetch: int = 10,
        metainfo: dict | None = None,
        indices: int | list[int] | None = None,
        filter_cfg: dict | None = None,
    ) -> None:
        self.seed = seed
        # shared memory, so that persistent workers see the epoch too
        self._epoch = torch.zeros(1, dtype=torch.int64).share_memory_()
        super().__init__(
            ann_file=ann_file,
            metainfo=metainfo,
            data_root=data_root,
            data_prefix=data_prefix or dict(video='videos', transcript='subtitles'),
            filter_cfg=filter_cfg,
            indices=indices,
            pipeline=[TRANSFORMS.build(t) if isinstance(t, dict) else t for t in pipeline],
            test_mode=test_mode,
            max_refetch=max_refetch,
        )

    @abstractmethod
    def read_annotations(self) -> list[dict]:
        """Records with ``video_id`` (path below the video folder, no suffix) and ``gt_emotion``."""

    def load_data_list(self) -> list[dict]:
        """Records with the paths of their files; a file that is missing fails when it is read."""
        self._check_layout()
        videos = Path(self.data_prefix['video'])
        transcripts = Path(self.data_prefix['transcript'])
        records = self.read_annotations()
        for record in records:
            record['video_path'] = str(self._video_path(videos, record['video_id']))
            record['transcript_path'] = str(transcripts / record['video_id'])
        self._report(records)
        return records

    def _check_layout(self) -> None:
        for path in (Path(self.data_root), Path(self.ann_file), Path(self.data_prefix['video'])):
            if not path.exists():
                raise FileNotFoundError(
                    f'{type(self).__name__}: {path} does not exist. Expected:\n'
                    f'{self.EXPECTED_TREE.format(root=self.data_root)}\n'
                    f'How to get it: {self.PREPARE_COMMAND.format(root=self.data_root)}'
                )

    @staticmethod
    def _video_path(folder: Path, video_id: str) -> Path:
        for suffix in VIDEO_SUFFIXES:
            path = folder / f'{video_id}{suffix}'
            if path.exists():
                return path
        return folder / f'{video_id}{VIDEO_SUFFIXES[0]}'

    def _report(self, records: list[dict]) -> None:
        counts = Counter(record['gt_emotion'] for record in records)
        shares = ', '.join(f'{name} {counts[i]}' for i, name in enumerate(self.metainfo['classes']))
        print_log(
            f'{type(self).__name__}: {len(records)} videos in {self.ann_file}: {shares}',
            logger='current',
        )

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

    @property
    def video_paths(self) -> set[str]:
        """Paths of all videos."""
        return {self.get_data_info(index)['video_path'] for index in range(len(self))}

    def set_epoch(self, epoch: int) -> None:
        """Tell the data set the epoch, which seeds the augmentation."""
        self._epoch.fill_(epoch)

    def __getitem__(self, index: int) -> dict:
        """One sample: ``inputs`` and ``data_samples``.

        Raises:
            TooManyFailuresError: When ``max_refetch`` further videos cannot be read either.
        """
        if not self._fully_initialized:
            self.full_init()
        failures: list[tuple[str, str]] = []
        for attempt in range(1 if self.test_mode else self.max_refetch + 1):
            try:
                sample = self.prepare_data((index + attempt) % len(self))
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
        record['rng'] = np.random.default_rng((self.seed, epoch, index))
        return self.pipeline(record)

    def _failed_sample(self, index: int, failures: list[tuple[str, str]]) -> AffectiveDataSample:
        record = self.get_data_info(index)
        sample = AffectiveDataSample(
            metainfo=dict(
                video_id=record['video_id'], video_path=record['video_path'], failures=failures
            )
        )
        sample.gt_emotion = record['gt_emotion']
        sample.failed = failures[-1][1]
        return sample
