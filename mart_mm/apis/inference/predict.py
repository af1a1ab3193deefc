"""One video, from its file to its report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from mart_mm.apis.inference.inputs import Video
from mart_mm.apis.inference.masks import mask_report
from mart_mm.apis.inference.reporting import join_windows, left_out, to_report
from mart_mm.apis.inference.windows import (
    Window,
    WindowPipeline,
    batched,
    open_source,
    readable,
)
from mart_mm.datasets.collate import affective_collate
from mart_mm.structures.affective_data_sample import AffectiveDataSample
from mart_mm.structures.emotion_report import EmotionReport
from mart_mm.structures.inference_card import InferenceCard

#: takes the share that is done, in [0, 1], and what is being done
Progress = Callable[[float, str], None]


class VideoPredictor:
    """Reads a video window by window and predicts it.

    Args:
        forward: From a collated batch to samples with predictions.
        pipeline: Of a window.
        card: Of the model.
        model_info: ``model`` of reports.
        segment_seconds: Length of a segment.
    """

    def __init__(
        self,
        forward: Callable[[dict], list[AffectiveDataSample]],
        pipeline: WindowPipeline,
        card: InferenceCard,
        model_info: dict[str, str],
        segment_seconds: float,
    ) -> None:
        self.forward, self.pipeline, self.card = forward, pipeline, card
        self.model_info = model_info
        self.window_seconds = segment_seconds * pipeline.segments.num_segments

    def __call__(
        self,
        video: Video,
        transcript: Path | None = None,
        batch_size: int = 1,
        on_progress: Progress | None = None,
    ) -> tuple[AffectiveDataSample, EmotionReport]:
        """Predict a video.

        Args:
            video: The video.
            transcript: Its subtitle file; None looks for one.
            batch_size: Windows predicted together.
            on_progress: Called after each window.

        Returns:
            A sample of the whole video, and its report.

        Raises:
            MediaError: When nothing of it can be read.
            TranscriptError: When the given transcript cannot be read.
        """
        say = on_progress or (lambda share, what: None)
        say(0.0, 'opening')
        path = str(video.source) if isinstance(video.source, Path) else ''
        record = dict(video_id=video.name, video_path=path)
        done: list[tuple[Window, AffectiveDataSample, bool]] = []
        with open_source(video.source) as opened:
            windows = self.pipeline.cut(opened, self.window_seconds)
            words = self.pipeline.find_words(video.source, transcript)
            warnings = list(words.warnings)
            parts = readable(self.pipeline, opened, windows, words, record, warnings)
            for predicted in self._predict(parts, batch_size):
                done.append(predicted)
                say(
                    predicted[0].end / windows[-1].end,
                    f'{len(done)} of {len(windows)} windows',
                )
        read, samples, sounds = (list(column) for column in zip(*done, strict=True))
        warnings += left_out(read, samples)
        sample = join_windows(read, samples, self.card.polarity)
        sample.set_metainfo(dict(warnings=warnings))
        report = to_report(
            sample,
            self.card,
            video=video.name,
            duration=windows[-1].end,
            has_sound=any(sounds),
            transcript_source=words.source,
            warnings=warnings,
            model=dict(self.model_info),
            masks=mask_report(samples),
        )
        say(1.0, 'done')
        return sample, report

    def _predict(
        self, parts: Iterable[tuple[Window, dict]], batch_size: int
    ) -> Iterator[tuple[Window, AffectiveDataSample, bool]]:
        """Each window, its sample with predictions, and whether it has sound."""
        for batch in batched(parts, batch_size):
            packed = [part for _, part in batch]
            samples = self.forward(affective_collate(packed))
            for (window, part), sample in zip(batch, samples, strict=True):
                yield window, sample, bool(part['inputs']['present']['audio'])
