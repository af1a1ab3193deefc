"""What became of a video."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from mart_mm.apis.inference.inputs import Video
from mart_mm.structures.affective_data_sample import AffectiveDataSample
from mart_mm.structures.emotion_report import EmotionReport


class Outcome(NamedTuple):
    """A report, or the reason why there is none.

    Attributes:
        video: The video.
        report: None when it failed.
        sample: None when it failed.
        failed: Why there is no report; empty where there is one.
    """

    video: Video
    report: EmotionReport | None = None
    sample: AffectiveDataSample | None = None
    failed: str = ''

    @property
    def path(self) -> str:
        """The video's file, or its name where it has none."""
        source = self.video.source
        return str(source) if isinstance(source, Path) else self.video.stem

    def place(self, out_dir: str | os.PathLike, suffix: str) -> Path:
        """Path of what is written about the video."""
        return Path(out_dir) / f'{self.video.stem}{suffix}'

    def to_dict(self) -> dict:
        """The report as plain data, or ``video`` and ``failed``."""
        if self.report is None:
            return dict(video=self.video.name, failed=self.failed)
        return self.report.to_dict()

    def data_sample(self) -> AffectiveDataSample:
        """The sample; of a video that failed, one that says so."""
        if self.sample is not None:
            return self.sample
        sample = AffectiveDataSample(
            metainfo=dict(
                video_id=self.video.name, video_path=self.path, failures=[(self.path, self.failed)]
            )
        )
        sample.failed = self.failed
        return sample
