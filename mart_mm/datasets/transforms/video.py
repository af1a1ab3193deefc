"""Segments of a video and their frames."""

from __future__ import annotations

import numpy as np

from mart_mm.datasets.media.video_reader import VideoReader
from mart_mm.datasets.transforms.base import Transform
from mart_mm.registry import TRANSFORMS


@TRANSFORMS.register_module()
class SampleSegments(Transform):
    """Split a video into S segments of equal duration and choose T frames in each.

    The windows chosen here cut all modalities: sound and words follow ``clip_times`` and
    ``segment_times``. A segment shorter than its clip repeats frames of the video's end.

    Adds ``segment_times`` (S, 2) and ``clip_times`` (S, 2) in seconds, ``frame_inds`` (S, T) and
    ``video_reader``.

    Args:
        num_segments: S.
        clip_len: T, frames per segment.
        frame_interval: Distance of neighbouring frames of a clip, in frames.
        random: Draw the clip's place in the segment; otherwise it is centred.
        size: Short side in pixels, scaled while decoding.
        backend: Of the video reader.
    """

    def __init__(
        self,
        *,
        num_segments: int,
        clip_len: int,
        frame_interval: int = 1,
        random: bool = False,
        size: int | None = None,
        backend: str = 'auto',
    ) -> None:
        if min(num_segments, clip_len, frame_interval) < 1:
            raise ValueError(
                f'num_segments={num_segments}, clip_len={clip_len}, frame_interval={frame_interval}: '
                'each must be at least 1'
            )
        self.num_segments, self.clip_len, self.frame_interval = num_segments, clip_len, frame_interval
        self.random, self.size, self.backend = random, size, backend

    def transform(self, results: dict) -> dict:
        """Choose the windows.

        Raises:
            MediaError: When the video cannot be opened.
        """
        reader = VideoReader(results['video_path'], backend=self.backend, size=self.size)
        start = float(results.get('start') or 0.0)
        end = min(float(results.get('end') or reader.duration), reader.duration)
        edges = np.linspace(start, max(end, start), self.num_segments + 1)
        segment_times = np.stack([edges[:-1], edges[1:]], axis=1)
        span = (self.clip_len - 1) * self.frame_interval + 1
        inds = np.empty((self.num_segments, self.clip_len), dtype=np.int64)
        # a frame belongs to the segment in which it starts; containers round times to a millisecond
        bounds = np.searchsorted(reader.times, edges - 1e-3)
        for s in range(self.num_segments):
            first, count = bounds[s], bounds[s + 1] - bounds[s]
            slack = max(0, int(count) - span)
            offset = int(results['rng'].integers(slack + 1)) if self.random else slack // 2
            inds[s] = first + offset + np.arange(self.clip_len) * self.frame_interval
        inds = inds.clip(0, reader.num_frames - 1)
        shown_until = np.append(reader.times[1:], reader.duration)
        results['segment_times'] = segment_times
        results['frame_inds'] = inds
        results['clip_times'] = np.stack([reader.times[inds[:, 0]], shown_until[inds[:, -1]]], axis=1)
        results['video_reader'] = reader
        return results


@TRANSFORMS.register_module()
class LoadFrames(Transform):
    """Decode the frames that were chosen: ``imgs`` uint8 (S, T, H, W, 3), RGB."""

    def transform(self, results: dict) -> dict:
        """Decode.

        Raises:
            MediaError: When a frame cannot be decoded.
        """
        with results.pop('video_reader') as reader:
            inds = results['frame_inds']
            frames = reader.read(inds.ravel())
        results['imgs'] = frames.reshape(*inds.shape, *frames.shape[1:])
        return results
