"""An exported model, from a video file to its emotion report."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime

from mart_mm_runtime.errors import ModelError
from mart_mm_runtime.media.audio_reader import read_audio
from mart_mm_runtime.media.video_reader import VideoReader
from mart_mm_runtime.metadata import read_metadata
from mart_mm_runtime.report import emotion_report
from mart_mm_runtime.scaling import cut_square
from mart_mm_runtime.windows import choose_windows, cut_log_mel


class EmotionModel:
    """A model that ``mart_mm.deploy.onnx.export_onnx`` wrote.

    Args:
        path: The ``.onnx`` file.
        num_threads: Of the computation; None lets ONNX Runtime choose.
        providers: Execution providers of ONNX Runtime, the first available one is used.

    Attributes:
        metadata: What the model says of itself.

    Raises:
        ModelError: When the file is no exported model.
    """

    def __init__(
        self,
        path: str | Path,
        num_threads: int | None = None,
        providers: tuple[str, ...] = ('CPUExecutionProvider',),
    ) -> None:
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

    def __call__(self, video: str | Path, num_segments: int | None = None) -> dict:
        """What a video conveys, and when.

        Args:
            video: The file.
            num_segments: Segments that it is split into; None: as many as in training.

        Returns:
            Emotion report as plain data; ``words`` is empty.

        Raises:
            MediaError: When the file cannot be read.
            ModelError: When the model takes another number of segments only.
        """
        frames, sound = self.metadata.frames, self.metadata.sound
        num_segments = self._check_segments(num_segments)
        with VideoReader(str(video), frames.short_side) as reader:
            duration = reader.duration
            windows = choose_windows(reader.times, duration, num_segments, frames)
            pictures = cut_square(reader.read(windows.frame_indices.ravel()), frames.size)
        waveform = read_audio(str(video), sound.sample_rate)
        audios, has_sound = cut_log_mel(waveform, windows.clip_times, sound)
        imgs = pictures.reshape(num_segments, frames.clip_len, *pictures.shape[1:])
        imgs = np.ascontiguousarray(imgs.transpose(0, 4, 1, 2, 3))  # (S, 3, T, H, W)
        scores, distributions = self.predict(
            imgs[None], audios[None], audio_present=np.array([has_sound])
        )
        return emotion_report(
            self.metadata,
            scores[0],
            distributions[0],
            windows.segment_times,
            video=Path(video).name,
            duration=duration,
            has_sound=has_sound,
            warnings=[] if has_sound else ['no sound was heard: picture alone decided'],
        )

    def _check_segments(self, num_segments: int | None) -> int:
        trained = self.metadata.frames.num_segments
        if num_segments is None:
            return trained
        if num_segments < 1:
            raise ModelError(f'num_segments={num_segments}: give 1 or more')
        if self.metadata.has_fixed_segments and num_segments != trained:
            raise ModelError(
                f'{self.path}: num_segments={num_segments}, but the head was trained for {trained} '
                'and takes no other number'
            )
        return num_segments
