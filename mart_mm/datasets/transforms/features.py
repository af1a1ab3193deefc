"""Segments of precomputed features."""

from __future__ import annotations

import numpy as np

from mart_mm.datasets.media.feature_file import FeatureSequence, read_features
from mart_mm.datasets.transforms.base import Transform
from mart_mm.errors import MediaError
from mart_mm.registry import TRANSFORMS

MODALITIES = ('visual', 'audio')


@TRANSFORMS.register_module()
class LoadFeatures(Transform):
    """Cut sequences of features into S segments of N tokens each; comes after ``LoadTranscript``.

    The video is split into S segments of equal duration, each of these into N bins, and a bin's token
    is the mean of the vectors in it. An empty bin takes the vector nearest to its middle.

    The video ends where its record does (``end``), else with the last of: its transcript, known times
    of features, ``fps``. Times and ``fps`` count from the start of the video; sequences without either
    are those of the record, spread evenly from its ``start`` to its end. Where nothing tells the
    duration it counts as one second.

    Adds ``segment_times`` (S, 2) in seconds, ``<modality>_features`` float32 (S, N, D) and
    ``has_<modality>``. A modality that the record does not have is all zero, and False.

    Args:
        num_segments: S.
        dims: D of each modality.
        num_tokens: N of each modality.
        fps: Vectors per second of each modality, where files bear no times and the rate is known.
    """

    def __init__(
        self,
        *,
        num_segments: int,
        dims: dict[str, int],
        num_tokens: dict[str, int],
        fps: dict[str, float] | None = None,
    ) -> None:
        if set(dims) != set(MODALITIES) or set(num_tokens) != set(MODALITIES):
            raise ValueError(f'dims={dims}, num_tokens={num_tokens}: give both for {MODALITIES}')
        if min(num_segments, *dims.values(), *num_tokens.values()) < 1:
            raise ValueError(
                f'num_segments={num_segments}, dims={dims}, num_tokens={num_tokens}: at least 1 each'
            )
        self.num_segments, self.dims, self.num_tokens = num_segments, dims, num_tokens
        self.fps = fps or {}

    def transform(self, results: dict) -> dict:
        """Load and cut.

        Raises:
            MediaError: When a file cannot be read, or has another width; when there is no modality.
        """
        files = results.get('features', {})
        sequences = {name: self._read(files[name], name) for name in MODALITIES if name in files}
        if not sequences:
            raise MediaError(results['video_id'], 'the record has no file of features')
        end = self._end(results, sequences)
        start = float(results.get('start') or 0.0)
        if start >= end:
            raise MediaError(
                results['video_id'], f'the record starts at {start:.2f} s and ends at {end:.2f} s'
            )
        edges = np.linspace(start, end, self.num_segments + 1)
        results['segment_times'] = np.stack([edges[:-1], edges[1:]], axis=1)
        for name in MODALITIES:
            shape = (self.num_segments, self.num_tokens[name], self.dims[name])
            results[f'has_{name}'] = name in sequences
            tokens = np.zeros(shape, dtype=np.float32)
            if name in sequences:
                times = self._times(sequences[name], name, start, end)
                bins = np.linspace(start, end, shape[0] * shape[1] + 1)
                tokens = bin_means(sequences[name].values, times, bins).reshape(shape)
            results[f'{name}_features'] = tokens
        return results

    def _read(self, path: str, name: str) -> FeatureSequence:
        sequence = read_features(path)
        if sequence.values.shape[1] != self.dims[name]:
            raise MediaError(
                path,
                f'{name} features have {sequence.values.shape[1]} dimensions where the config says '
                f'{self.dims[name]}: change dims of LoadFeatures and of the backbone',
            )
        return sequence

    def _end(self, results: dict, sequences: dict[str, FeatureSequence]) -> float:
        """Seconds at which the record ends."""
        if results.get('end') is not None:
            return float(results['end'])
        ends = [line[1] for line in results.get('transcript', [])]
        for name, sequence in sequences.items():
            length = len(sequence.values)
            if sequence.times is not None:
                # the last vector lasts as long as vectors do on average
                step = np.ptp(sequence.times) / max(1, length - 1)
                ends.append(float(sequence.times[-1] + step / 2))
            elif name in self.fps:
                ends.append(length / self.fps[name])
        return max(ends, default=1.0) or 1.0

    def _times(self, sequence: FeatureSequence, name: str, start: float, end: float) -> np.ndarray:
        """Middle of each vector's time in seconds."""
        if sequence.times is not None:
            return sequence.times
        places = np.arange(len(sequence.values)) + 0.5
        if name in self.fps:
            return places / self.fps[name]
        return start + places * (end - start) / len(places)


def bin_means(values: np.ndarray, times: np.ndarray, bins: np.ndarray) -> np.ndarray:
    """Mean of the vectors in each bin; an empty bin takes the vector nearest to its middle.

    Args:
        values: (n, D).
        times: (n,).
        bins: Edges (count + 1,), rising; a bin includes its lower edge.

    Returns:
        float32 (count, D).
    """
    count = len(bins) - 1
    place = np.searchsorted(bins, times, side='right') - 1
    inside = (place >= 0) & (place < count)
    sums = np.zeros((count, values.shape[1]))
    np.add.at(sums, place[inside], values[inside])
    numbers = np.bincount(place[inside], minlength=count)
    means = sums / np.maximum(numbers, 1)[:, None]
    empty = np.flatnonzero(numbers == 0)
    middles = (bins[:-1] + bins[1:])[empty, None] / 2
    means[empty] = values[np.abs(times[None] - middles).argmin(1)]
    return means.astype(np.float32)
