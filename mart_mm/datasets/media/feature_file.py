"""Precomputed features of one modality: a sequence of vectors, with times where they are known."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from torch import Tensor

from mart_mm.errors import MediaError

SUFFIXES = ('.npy', '.npz', '.safetensors')


class FeatureSequence(NamedTuple):
    """A modality of one video.

    Attributes:
        values: float32 (n, D).
        times: float64 (n,), the middle of each vector's time in seconds, or None where unknown.
    """

    values: np.ndarray
    times: np.ndarray | None


def read_features(path: str | Path) -> FeatureSequence:
    """Read a ``.npy``, ``.npz`` or ``.safetensors`` file; nothing in it is executed.

    A ``.npy`` file is the array (n, D); one vector (D,) is a sequence of one. The others hold it as
    ``features``, and optionally ``times``: seconds (n,), or start and end (n, 2).

    Args:
        path: The file.

    Raises:
        MediaError: When it cannot be read, has another shape, holds objects or numbers that are not
            finite; with the remedy.
    """
    path = Path(path)
    arrays = _read_arrays(path)
    if 'features' not in arrays:
        raise MediaError(str(path), f"no array 'features', only {sorted(arrays)}: rename it")
    values = np.asarray(arrays['features'])
    if values.dtype.kind not in 'fiu':
        raise MediaError(str(path), f'features are {values.dtype}: save numbers')
    values = np.atleast_2d(values)
    if values.ndim != 2 or not values.size:
        raise MediaError(str(path), f'features have shape {values.shape}: save (length, dims)')
    with np.errstate(over='ignore'):
        values = values.astype(np.float32)
    broken = ~np.isfinite(values)
    if broken.any():
        raise MediaError(
            str(path),
            f'{broken.sum()} of {broken.size} values are not finite, in {broken.any(1).sum()} of '
            f'{len(values)} vectors: leave these out, with times for the rest, or replace the values',
        )
    return FeatureSequence(values, _times(path, arrays.get('times'), len(values)))


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    suffix = path.suffix.lower()
    try:
        if suffix == '.npy':
            return dict(features=np.load(path, allow_pickle=False))
        if suffix == '.npz':
            with np.load(path, allow_pickle=False) as content:
                return {name: content[name] for name in content.files}
        if suffix == '.safetensors':
            from safetensors.torch import load_file  # NumPy has no bfloat16

            return {name: _to_numpy(tensor) for name, tensor in load_file(path).items()}
    except FileNotFoundError as error:
        raise MediaError(str(path), 'the file does not exist') from error
    except Exception as error:  # damaged archives raise many kinds
        raise MediaError(str(path), f'cannot be read ({error})') from error
    raise MediaError(
        str(path),
        f'features are read from {", ".join(SUFFIXES)}: load the file yourself and save its array '
        '(length, dims) with numpy.save',
    )


def _to_numpy(tensor: Tensor) -> np.ndarray:
    is_float = tensor.is_floating_point()
    return (tensor.double() if is_float else tensor).numpy()


def _times(path: Path, times: np.ndarray | None, length: int) -> np.ndarray | None:
    if times is None:
        return None
    times = np.asarray(times, dtype=np.float64)
    if times.shape == (length, 2):
        times = times.mean(1)
    if times.shape != (length,) or not np.isfinite(times).all() or (np.diff(times) < 0).any():
        raise MediaError(
            str(path),
            f'times have shape {times.shape}: give {length} rising seconds, or start and end of each',
        )
    return times
