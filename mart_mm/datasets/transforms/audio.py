"""The sound of each segment."""

from __future__ import annotations

import numpy as np
import torch

from mart_mm.datasets.media.audio_reader import read_audio
from mart_mm.datasets.media.log_mel import log_mel, num_samples
from mart_mm.datasets.transforms.base import Transform
from mart_mm.registry import TRANSFORMS


@TRANSFORMS.register_module()
class LoadLogMel(Transform):
    """Log-mel windows centred on the clips: ``audios`` float32 (S, F, mel bins), ``has_audio``.

    A window that would leave the sound track is moved inside; where the track is shorter than the
    window, the missing rows are zero, as AST pads. Without sound all is zero and ``has_audio`` False.

    Args:
        num_frames: F, log-mel frames of 10 ms per segment.
        num_mels: Mel bins.
        sample_rate: Samples per second.
    """

    def __init__(self, *, num_frames: int, num_mels: int = 128, sample_rate: int = 16000) -> None:
        self.num_frames, self.num_mels, self.sample_rate = num_frames, num_mels, sample_rate

    def transform(self, results: dict) -> dict:
        """Load.

        Raises:
            MediaError: When the file cannot be opened.
        """
        clip_times = results['clip_times']
        audios = np.zeros((len(clip_times), self.num_frames, self.num_mels), dtype=np.float32)
        waveform = read_audio(results['video_path'], self.sample_rate)
        results['has_audio'] = waveform is not None
        if waveform is not None:
            length = min(num_samples(self.num_frames), len(waveform))
            centres = clip_times.mean(1) * self.sample_rate
            starts = np.rint(centres - length / 2).astype(int).clip(0, len(waveform) - length)
            windows = torch.from_numpy(np.stack([waveform[s : s + length] for s in starts]))
            features = log_mel(windows, num_mels=self.num_mels, sample_rate=self.sample_rate)
            audios[:, : features.shape[1]] = features.numpy()
        results['audios'] = audios
        return results
