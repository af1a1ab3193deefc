"""A deterministic analyser in the place of a model, and tiny videos."""

from __future__ import annotations

import math
import sys
import threading
import time
import types
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from mart_mm.structures.emotion_report import (
    DROPPED_AT,
    EmotionReport,
    MaskReport,
    SegmentReport,
    WordReport,
)
from mart_mm.utils.media_writer import write_video

BASE_URL = 'http://127.0.0.1:8765'
CLASSES = ['anger', 'disgust', 'fear', 'joy', 'sadness', 'surprise']
POLARITY = [-1, -1, -1, 1, -1, 1]
SPOKEN = 'happy terrible party cry smile scared lovely awful wonderful lonely'.split()


def plant_report(
    duration: float = 4.0,
    num_segments: int = 8,
    num_words: int = 10,
    shift: float = 0.0,
    with_masks: bool = False,
) -> EmotionReport:
    """Emotions that come and go, words evenly spread; another ``shift``, other emotions."""
    length = duration / num_segments
    segments = []
    for number in range(num_segments):
        logits = [
            3 * math.sin(2 * math.pi * number / num_segments + k + shift)
            for k in range(len(CLASSES))
        ]
        weights = [math.exp(value) for value in logits]
        distribution = [weight / sum(weights) for weight in weights]
        best = distribution.index(max(distribution))
        segments.append(
            SegmentReport(
                start=number * length,
                end=(number + 1) * length,
                distribution=distribution,
                emotion=CLASSES[best],
                sentiment=POLARITY[best],
                degree=max(distribution),
                text=f'segment number {number}',
            )
        )
    words = []
    for number in range(num_words):
        start = number * duration / num_words
        level = number % 4
        words.append(
            WordReport(
                word=SPOKEN[number % len(SPOKEN)],
                concept=SPOKEN[number % len(SPOKEN)],
                start=start,
                end=start + 0.3,
                segment=min(int(start / length), num_segments - 1),
                polarity=(-1, 1)[number % 2],
                emotion=CLASSES[number % len(CLASSES)],
                affect=[0.1 * (k + 1) for k in range(len(CLASSES))],
                level=level,
                dropped=DROPPED_AT[level],
            )
        )
    return EmotionReport(
        video='whatever.mp4',
        duration=duration,
        classes=CLASSES,
        polarity=POLARITY,
        emotion='joy',
        scores=segments[0].distribution,
        sentiment=1,
        segments=segments,
        words=words,
        has_sound=True,
        transcript_source='sidecar',
        warnings=['the sound ends 0.1 s before the picture'],
        model=dict(name='planted', checkpoint='none.pth', sha256='0' * 16, version='0'),
        masks=plant_masks(num_segments) if with_masks else None,
    )


def plant_masks(num_segments: int) -> MaskReport:
    """All digits in pictures of 3 x 4 patches, and sound of 4 bands that the second segment lacks."""
    rng = np.random.default_rng(0)
    visual = rng.integers(0, 10, (num_segments, 3, 4))
    audio = 9 * rng.integers(0, 2, (num_segments, 4, 5))

    def rows(segment: np.ndarray) -> list[str]:
        return [''.join(map(str, row)) for row in segment]

    return MaskReport(
        visual=[rows(segment) for segment in visual],
        audio=[[] if number == 1 else rows(segment) for number, segment in enumerate(audio)],
        with_words=[number % 3 == 0 for number in range(num_segments)],
    )


class PlantedAnalyser:
    """Returns one report; what it was called with, and how many calls ran at once, is kept."""

    def __init__(self, report: EmotionReport, error: Exception | None = None) -> None:
        self.report, self.error = report, error
        self.calls: list[tuple[Path, str | None]] = []
        self.most_at_once = self.running = 0
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self._lock = threading.Lock()

    def __call__(
        self, path: Path, transcript: Path | None, on_progress: Callable[[float, str], None]
    ) -> EmotionReport:
        assert path.is_file()
        with self._lock:
            self.calls.append((path, transcript.read_text() if transcript else None))
            self.running += 1
            self.most_at_once = max(self.most_at_once, self.running)
        try:
            on_progress(0.25, 'looking')
            while not self.may_go_on.wait(0.01):
                on_progress(0.25, 'looking')
            if self.error is not None:
                raise self.error
            on_progress(0.9, 'listening')
            return self.report
        finally:
            with self._lock:
                self.running -= 1


def wait_for(client: TestClient, job_id: str, *states: str) -> dict:
    """The job when it is in one of the states."""
    for _ in range(1000):
        job = client.get(f'/api/jobs/{job_id}').json()
        if job['state'] in states:
            return job
        time.sleep(0.01)
    raise AssertionError(f'{job_id} is {job["state"]}, not {states}')


def upload(client: TestClient, path: Path, name: str = '') -> dict:
    answer = client.post(
        '/api/videos', params=dict(name=name or path.name), content=path.read_bytes()
    )
    assert answer.status_code == 201, answer.text
    return answer.json()


def start(client: TestClient, video: dict, model: str = 'planted') -> dict:
    answer = client.post('/api/jobs', json=dict(video=video['id'], model=model))
    assert answer.status_code == 202, answer.text
    return answer.json()


@pytest.fixture(scope='session')
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """4 s of h264 and AAC."""
    path = tmp_path_factory.mktemp('video') / 'tiny clip.mp4'
    shades = np.linspace(40, 220, 48).astype(np.uint8)
    frames = np.broadcast_to(shades[:, None, None, None], (48, 48, 64, 3))
    sound = 0.2 * np.sin(np.arange(4 * 16000) / 16000 * 2 * np.pi * 440)
    write_video(path, frames, 12, audio=sound.astype(np.float32), gop=6)
    return path


@pytest.fixture
def planted_exports(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Exports of one and of several files in the place of the real ones; the formats written."""
    written = []

    def write_exports(
        report: EmotionReport, media_path: Path, out_dir: Path, formats: list[str]
    ) -> None:
        assert Path(media_path).is_file()
        for name in formats:
            written.append(name)
            if name == 'json':
                report.save(Path(out_dir) / 'any.json')
            elif name == 'csv':
                for part in ('segments', 'words'):
                    (Path(out_dir) / f'{part}.csv').write_text(part)
            else:
                (Path(out_dir) / 'any.mp4').write_bytes(b'moving pictures')

    module = types.ModuleType('mart_mm.exports')
    module.FORMATS = ('json', 'csv', 'overlay')
    module.write_exports = write_exports
    monkeypatch.setitem(sys.modules, 'mart_mm.exports', module)
    return written


@pytest.fixture
def ui() -> types.SimpleNamespace:
    """The functions of this file, for tests that cannot import it."""
    return types.SimpleNamespace(
        report=plant_report, Analyser=PlantedAnalyser, wait_for=wait_for, upload=upload,
        start=start, base_url=BASE_URL, classes=CLASSES,
    )  # fmt: skip
