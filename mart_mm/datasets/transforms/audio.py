"""The sound of each segment."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress

import av
import numpy as np
import torch

from mart_mm.datasets.cache import BadEntryError, cache_key, file_identity
from mart_mm.datasets.media.audio_reader import read_audio
from mart_mm.datasets.media.log_mel import SILENCE, log_mel, num_samples, window_and_shift
from mart_mm.datasets.media.log_mel_track import LogMelTrack, num_frames
from mart_mm.datasets.media.streams import find_audio_stream
from mart_mm.datasets.transforms.base import Transform
from mart_mm.registry import TRANSFORMS
from mart_mm.utils.code_version import code_version


@TRANSFORMS.register_module()
class LoadLogMel(Transform):
    """Log-mel windows centred on the clips: ``audios`` float32 (S, F, mel bins), ``has_audio``.

    The sound is that of the file ``audio_path``, or of the video; a folder of frames has none. Its
    log-mel frames lie on a grid of 10 ms from its start on; a window takes those nearest to its
    clip. A window that would leave the sound track, or the record's part of the file, is moved
    inside. A clip whose centre lies behind the track's end gets the silence that is heard there.
    Where the track is shorter than the window, the missing rows are zero, as AST pads. Without
    sound, or with less of it than one frame of 25 ms on the grid, all is zero and ``has_audio``
    False.

    With a :class:`~mart_mm.datasets.cache.FileCache` in ``results['cache']`` the frames of the whole
    track are kept and its file is decoded once. Where ``results['opened']`` is an
    :class:`~mart_mm.datasets.media.opened.OpenedVideo` its sound is taken, read forward. The result is
    the same, bit for bit.

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
            MediaError: When the file cannot be opened, or holds numbers that are no sound.
        """
        if 'opened' in results:
            return self._add_opened(results)
        path, cache = str(results.get('audio_path') or results['video_path']), results.get('cache')
        key = self._key(path) if cache else None
        entry = cache.load(key) if key else None
        if entry is not None:
            with entry, suppress(BadEntryError):
                return self._add(results, entry.info['num_samples'], entry.rows)
        waveform = None if os.path.isdir(path) else read_audio(path, self.sample_rate)
        if waveform is None:
            waveform = np.empty(0, dtype=np.float32)
        track = LogMelTrack(waveform, self.sample_rate, self.num_mels)
        if not key:
            return self._add(results, track.num_samples, track.rows)
        frames = track.rows(0, track.num_frames)
        cache.store(key, dict(num_samples=track.num_samples), frames if len(frames) else None)
        return self._add(results, track.num_samples, lambda start, stop: frames[start:stop])

    def _add_opened(self, results: dict) -> dict:
        track = results['opened'].log_mel(self.sample_rate, self.num_mels)
        end = results.get('end')
        stop = None if end is None else round(float(end) * self.sample_rate)
        return self._add(results, track.reach(stop), track.rows)

    def _key(self, path: str) -> str | None:
        """Name of the track in the cache; None for a file that is missing."""
        try:
            identity = file_identity(path)
        except OSError:
            return None
        return cache_key(
            'log-mel of a track',
            file=identity,
            num_mels=self.num_mels,
            sample_rate=self.sample_rate,
            code=code_version(read_audio, find_audio_stream, log_mel, LogMelTrack),
            libraries=[av.__version__, av.library_versions, torch.__version__],
        )

    def _add(
        self, results: dict, track_samples: int, rows: Callable[[int, int], np.ndarray]
    ) -> dict:
        """Cut the windows out of a track, of which ``rows`` gives frames from .. to before .."""
        shift = window_and_shift(self.sample_rate)[1]
        begin = round(float(results.get('start') or 0.0) * self.sample_rate)
        end = results.get('end')
        end = (
            track_samples
            if end is None
            else min(round(float(end) * self.sample_rate), track_samples)
        )
        first, stop = -(-begin // shift), num_frames(end, self.sample_rate)
        length = min(self.num_frames, stop - first)
        clip_times = results['clip_times']
        audios = np.zeros((len(clip_times), self.num_frames, self.num_mels), dtype=np.float32)
        if length > 0:
            centres = clip_times.mean(1) * self.sample_rate
            starts = centres - num_samples(length, self.sample_rate) / 2
            starts = np.rint(starts / shift).astype(int)
            starts = np.where(centres < end, starts.clip(first, stop - length), starts)
            for window, start in zip(audios, starts.tolist(), strict=True):
                heard = rows(min(start, stop), min(start + length, stop))
                window[: len(heard)] = heard
                window[len(heard) : length] = SILENCE
        results['audios'], results['has_audio'] = audios, length > 0
        return results
