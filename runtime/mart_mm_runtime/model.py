"""An exported model, from a video file to its emotion report."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnxruntime

from mart_mm_runtime.errors import MediaError, ModelError
from mart_mm_runtime.media.sound_stream import SoundStream
from mart_mm_runtime.media.video_reader import VideoReader
from mart_mm_runtime.metadata import read_metadata
from mart_mm_runtime.report import emotion_report
from mart_mm_runtime.scaling import cut_square
from mart_mm_runtime.windows import choose_segments, cut_log_mel, cut_windows


class _Part(NamedTuple):
    """A window: (S, 2) seconds, (C,) and (S, C) probabilities."""

    times: np.ndarray
    scores: np.ndarray
    distributions: np.ndarray
    has_sound: bool


class EmotionModel:
    """A model that ``mart_mm.deploy.onnx.export_onnx`` wrote.

    Args:
        path: The ``.onnx`` file.
        segment_seconds: Length of a segment; None: as in the training data.
        num_threads: Of the computation; None lets ONNX Runtime choose.
        providers: Execution providers of ONNX Runtime, the first available one is used.

    Attributes:
        metadata: What the model says of itself.
        window_seconds: Length of the windows that a long video is cut into.

    Raises:
        ModelError: When the file is no exported model.
        ValueError: When ``segment_seconds`` is not above 0.
    """

    def __init__(
        self,
        path: str | Path,
        segment_seconds: float | None = None,
        num_threads: int | None = None,
        providers: tuple[str, ...] = ('CPUExecutionProvider',),
    ) -> None:
        if segment_seconds is not None and not segment_seconds > 0:
            raise ValueError(f'segment_seconds={segment_seconds}: a length above 0 is needed')
        self.path = str(path)
        if not Path(path).is_file():
            raise ModelError(f'{path}: the file does not exist')
        options = onnxruntime.SessionOptions()
        if num_threads is not None:
            options.intra_op_num_threads = num_threads
        try:
            self._session = onnxruntime.InferenceSession(
                self.path, sess_options=options, providers=list(providers)
            )
        except Exception as error:  # what ONNX Runtime raises has no common class of its own
            raise ModelError(f'{path}: ONNX Runtime cannot load it ({error})') from error
        properties = self._session.get_modelmeta().custom_metadata_map
        self.metadata = read_metadata(properties, self.path)
        seconds = segment_seconds or self.metadata.segment_seconds
        self.window_seconds = seconds * self.metadata.frames.num_segments

    def predict(
        self,
        imgs: np.ndarray,
        audios: np.ndarray,
        visual_present: np.ndarray | None = None,
        audio_present: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Run the network.

        Args:
            imgs: uint8 (B, S, 3, T, H, W), RGB.
            audios: float32 (B, S, F, mel bins), log-mel, not normalised.
            visual_present: Bool (B,), which videos have a picture; None: all.
            audio_present: Bool (B,), which have sound; None: all.

        Returns:
            Class probabilities (B, C) of the videos, and (B, S, C) of their segments.

        Raises:
            ModelError: When the arrays do not fit the model.
        """
        everything = np.ones(len(imgs), dtype=bool)
        feed = dict(
            imgs=imgs,
            audios=audios,
            visual_present=everything if visual_present is None else visual_present,
            audio_present=everything if audio_present is None else audio_present,
        )
        for given in self._session.get_inputs():
            shape = feed[given.name].shape
            fixed = [extent if isinstance(extent, int) else None for extent in given.shape]
            if len(shape) != len(fixed) or any(
                wanted not in (None, extent) for wanted, extent in zip(fixed, shape, strict=True)
            ):
                raise ModelError(
                    f'{self.path}: input {given.name!r} of shape {shape}: the model takes '
                    f'{tuple(given.shape)}'
                )
        scores, distributions = self._session.run(['pred_scores', 'temporal_scores'], feed)
        return scores, distributions

    def __call__(self, video: str | Path) -> dict:
        """What a video conveys, and when.

        It is cut into windows that look like the videos of the training data, which are read, and
        forgotten, one at a time. The video's scores are the mean of theirs, each weighted by its length.

        Args:
            video: The file.

        Returns:
            Emotion report as plain data; ``words`` is empty.

        Raises:
            MediaError: When nothing of it can be read.
        """
        parts, warnings = [], []
        with VideoReader(str(video), self.metadata.frames.short_side) as reader:
            sound = SoundStream(str(video), self.metadata.sound.sample_rate)
            try:
                windows = cut_windows(reader.duration, self.window_seconds)
                failure = None
                for window in windows:
                    try:
                        parts.append(self._predict_window(reader, sound, window, len(windows) == 1))
                    except MediaError as error:
                        failure = failure or error
                        start, end = window
                        warnings.append(f'{start:.1f} to {end:.1f} s left out: {error.reason}')
                if failure and not parts:
                    raise failure
            finally:
                sound.close()
        lengths = np.array([part.times[-1, 1] - part.times[0, 0] for part in parts])
        return emotion_report(
            self.metadata,
            lengths / lengths.sum() @ np.stack([part.scores for part in parts]),
            np.concatenate([part.distributions for part in parts]),
            np.concatenate([part.times for part in parts]),
            video=Path(video).name,
            duration=windows[-1][1],
            has_sound=any(part.has_sound for part in parts),
            warnings=warnings,
        )

    def _predict_window(
        self, reader: VideoReader, sound: SoundStream, window: tuple[float, float], is_whole: bool
    ) -> _Part:
        frames = self.metadata.frames
        segments = choose_segments(reader.times, reader.duration, window, frames)
        pictures = cut_square(reader.read(segments.frame_indices.ravel()), frames.size)
        imgs = pictures.reshape(*segments.frame_indices.shape, *pictures.shape[1:])
        imgs = np.ascontiguousarray(imgs.transpose(0, 4, 1, 2, 3))  # (S, 3, T, H, W)
        audios, has_sound = cut_log_mel(
            sound,
            segments.clip_times,
            (window[0], None if is_whole else window[1]),
            self.metadata.sound,
        )
        scores, distributions = self.predict(
            imgs[None], audios[None], audio_present=np.array([has_sound])
        )
        return _Part(segments.times, scores[0], distributions[0], has_sound)
