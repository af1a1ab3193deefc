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

    A window that would leave the sound track, or the record's part of the file, is moved inside. A
    clip whose centre lies behind the track's end gets the silence that is heard there. Where the
    track is shorter than the window, the missing rows are zero, as AST pads. Without sound, or with
    less than one 25 ms analysis window of it, all is zero and ``has_audio`` False.

    Args:
        num_frames: F, log-mel frames of 10 ms per segment.
        num_mels: Mel bins.
        sample_rate: Samples per second.
    """

    def __init__(self, num_frames: int, num_mels: int = 128, sample_rate: int = 16000) -> None:
        if min(num_frames, num_mels, sample_rate) < 1:
            raise ValueError(
                f'num_frames={num_frames}, num_mels={num_mels}, sample_rate={sample_rate}: '
                'each must be at least 1'
            )
        self.num_frames, self.num_mels, self.sample_rate = num_frames, num_mels, sample_rate

    def transform(self, results: dict) -> dict:
        """Load.

        Raises:
            MediaError: When the file cannot be opened.
        """
        clip_times = results['clip_times']
        audios = np.zeros((len(clip_times), self.num_frames, self.num_mels), dtype=np.float32)
        track = read_audio(results['video_path'], self.sample_rate)
        begin = round(float(results.get('start') or 0.0) * self.sample_rate)
        if track is not None:
            end = results.get('end')
            track = track[begin : None if end is None else round(float(end) * self.sample_rate)]
        if track is not None and len(track) >= num_samples(1, self.sample_rate):
            centres = clip_times.mean(1) * self.sample_rate - begin
            windows = torch.from_numpy(self._cut(track, centres))
            features = log_mel(windows, sample_rate=self.sample_rate, num_mels=self.num_mels)
            audios[:, : features.shape[1]] = features.numpy()
            results['has_audio'] = True
        else:
            results['has_audio'] = False
        results['audios'] = audios
        return results

    def _cut(self, track: np.ndarray, centres: np.ndarray) -> np.ndarray:
        """Windows (S, samples) around the centres, which are counted in samples."""
        length = min(num_samples(self.num_frames, self.sample_rate), len(track))
        starts = np.rint(centres - length / 2).astype(int)
        is_heard = centres < len(track)
        starts = np.where(is_heard, starts.clip(0, len(track) - length), starts)
        track = np.pad(track, (0, max(0, int(starts.max()) + length - len(track))))
        return np.stack([track[start : start + length] for start in starts])
