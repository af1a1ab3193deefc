"""A video given as a folder of numbered pictures."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
from PIL import Image

from mart_mm.datasets.media.backends import scaled_size
from mart_mm.errors import MediaError

SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp')


class FrameFolderReader:
    """Reads frames ``00001.jpg``, ``00002.jpg``, ... of a folder, as VideoReader those of a file.

    Numbers count the frames of the whole video from 1 on, whatever the digits; numbers may be
    missing, and only frames that exist are frames. A picture of another size than the first one is
    scaled to it. Other files in the folder are ignored.

    Args:
        path: The folder.
        size: Short side in pixels; None keeps the size of the first picture.
        fps: Frames of the whole video per second.

    Attributes:
        numbers: int64 (n,), number of each frame, rising.
        times: float64 (n,), (number - 1) / fps: seconds of the whole video.
        num_frames: Number of frames n.
        duration: Seconds from the beginning of the whole video to the end of the last frame.
        fps: As given.
        size: (width, height) of the frames returned.

    Raises:
        MediaError: When the folder has no frame, or a number twice, or the first picture is broken.
        ValueError: For a size or rate out of range.
    """

    def __init__(self, path: str, size: int | None = None, fps: float = 30.0) -> None:
        if size is not None and size < 2:
            raise ValueError(f'size={size}: the short side must be at least 2 pixels, or None')
        if not fps > 0:
            raise ValueError(f'fps={fps}: must be above 0')
        self.path, self.fps = str(path), float(fps)
        names = self._names()
        self.numbers = np.array(sorted(names), dtype=np.int64)
        self._files = [names[number] for number in self.numbers.tolist()]
        self.times = (self.numbers - 1) / self.fps
        self.num_frames = len(self._files)
        self.duration = float(self.numbers[-1] / self.fps)
        with self._open(0) as first:
            self.size = scaled_size(*first.size, size)

    def _names(self) -> dict[int, str]:
        names: dict[int, str] = {}
        try:
            found = sorted(os.listdir(self.path))
        except OSError as error:
            raise MediaError(self.path, f'cannot be opened ({error.strerror})') from error
        for name in found:
            stem, suffix = os.path.splitext(name)
            if suffix.lower() not in SUFFIXES or not (stem.isascii() and stem.isdigit()):
                continue
            number = int(stem)
            if number < 1:
                raise MediaError(self.path, f'{name}: frames are numbered from 1')
            if number in names:
                raise MediaError(self.path, f'frame {number} stands twice: {names[number]}, {name}')
            names[number] = name
        if not names:
            raise MediaError(self.path, 'the folder has no frame such as 00001.jpg')
        return names

    def _open(self, index: int) -> Image.Image:
        try:
            return Image.open(os.path.join(self.path, self._files[index]))
        except (OSError, ValueError, Image.DecompressionBombError) as error:
            raise self._broken(index) from error

    def _broken(self, index: int) -> MediaError:
        return MediaError(self.path, f'{self._files[index]} is no picture, or is damaged')

    def _read(self, index: int) -> np.ndarray:
        with self._open(index) as picture:
            try:
                picture.draft('RGB', self.size)  # JPEG: decodes at a smaller scale where that does
                picture = picture.convert('RGB')
            except (OSError, ValueError, SyntaxError) as error:
                raise self._broken(index) from error
        if picture.size != self.size:
            picture = picture.resize(self.size, Image.Resampling.BICUBIC)
        return np.asarray(picture)

    def read(self, indices: Sequence[int]) -> np.ndarray:
        """Frames by index (not by number), in any order, repeated ones too.

        Args:
            indices: Each from 0 to ``num_frames - 1``.

        Returns:
            uint8 (n, H, W, 3), RGB.

        Raises:
            IndexError: For an index out of range.
            MediaError: When a picture is broken.
        """
        wanted = [int(index) for index in indices]
        if not wanted:
            return np.empty((0, *self.size[::-1], 3), dtype=np.uint8)
        if not 0 <= min(wanted) <= max(wanted) < self.num_frames:
            raise IndexError(
                f'{self.path}: frames {min(wanted)} to {max(wanted)} of {self.num_frames}'
            )
        pictures = {index: self._read(index) for index in set(wanted)}
        return np.stack([pictures[index] for index in wanted])

    def close(self) -> None:
        """Nothing is held open."""

    def __enter__(self) -> FrameFolderReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
