"""A video that stays open while one part of it after the other is read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from mart_mm.datasets.media.log_mel_track import LogMelFrames, LogMelStream
from mart_mm.datasets.media.sound_stream import SoundStream
from mart_mm.datasets.media.video_reader import VideoReader
from mart_mm.errors import MediaError


class OpenedVideo(ABC):
    """Frames and sound of one video for transforms that are called once for each part of it.

    Parts are read forward: the sound before a part that was read is forgotten, so that a video of any
    length takes the same memory.
    """

    def __init__(self) -> None:
        self._readers: dict[int | None, OpenedFrames] = {}
        self._tracks: dict[tuple[int, int], LogMelFrames] = {}

    @abstractmethod
    def _open_frames(self, size: int | None) -> OpenedFrames:
        """Open the frames."""

    @abstractmethod
    def _open_sound(self, sample_rate: int, num_mels: int) -> LogMelFrames:
        """Open the sound; a video without has no frame of it."""

    def frames(self, size: int | None) -> OpenedFrames:
        """Reader of the frames, with the attributes of ``VideoReader``; closing it does nothing.

        Args:
            size: Short side in pixels, or None.

        Raises:
            MediaError: When they cannot be read.
        """
        if size not in self._readers:
            self._readers[size] = self._open_frames(size)
        return self._readers[size]

    def log_mel(self, sample_rate: int, num_mels: int) -> LogMelFrames:
        """Log-mel frames of the sound.

        Raises:
            MediaError: When the file cannot be opened.
        """
        key = sample_rate, num_mels
        if key not in self._tracks:
            self._tracks[key] = self._open_sound(*key)
        return self._tracks[key]

    def reopen_frames(self) -> None:
        """Open the frames anew when they are next asked for, after one could not be decoded."""
        for reader in self._readers.values():
            reader.release()
        self._readers.clear()

    def close(self) -> None:
        """Release all."""
        self.reopen_frames()

    def __enter__(self) -> OpenedVideo:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class OpenedFrames(ABC):
    """Reads frames by index; see ``VideoReader`` for the attributes.

    Args:
        times: Seconds of each frame.
        duration: Seconds.
        size: (width, height) of the pictures returned.
    """

    def __init__(self, times: np.ndarray, duration: float, size: tuple[int, int]) -> None:
        self.times, self.duration, self.size = times, duration, size
        self.num_frames = len(times)

    @abstractmethod
    def read(self, indices: Sequence[int]) -> np.ndarray:
        """uint8 (n, H, W, 3), RGB."""

    @abstractmethod
    def release(self) -> None:
        """Release the file."""

    def close(self) -> None:
        """Keep the file open: more parts may be read; see :meth:`release`."""
        return

    def __enter__(self) -> OpenedFrames:
        return self

    def __exit__(self, *_: object) -> None:
        return


class OpenedFile(OpenedVideo):
    """A video file.

    Args:
        path: The file.
    """

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = str(path)
        self._sounds: list[SoundStream] = []

    def _open_frames(self, size: int | None) -> OpenedFrames:
        return FileFrames(VideoReader(self.path, size=size))

    def _open_sound(self, sample_rate: int, num_mels: int) -> LogMelFrames:
        self._sounds.append(SoundStream(self.path, sample_rate))
        return LogMelStream(self._sounds[-1], num_mels)

    def close(self) -> None:
        """Release the file."""
        super().close()
        for sound in self._sounds:
            sound.close()


class FileFrames(OpenedFrames):
    """Frames of a file: sought where it can be sought in, else taken from one pass over all.

    Args:
        reader: Of the file; released with this.
    """

    def __init__(self, reader: VideoReader) -> None:
        super().__init__(reader.times, reader.duration, reader.size)
        self._reader = reader
        self._pass = iter(())
        self._kept: dict[int, np.ndarray] = {}  # the latest pictures of the pass
        self._position = self.num_frames  # index that the pass has come to

    def read(self, indices: Sequence[int]) -> np.ndarray:
        """See :class:`OpenedFrames`.

        Raises:
            MediaError: When a frame cannot be decoded.
        """
        if self._reader.may_seek:
            return self._reader.read(indices)
        wanted = {int(index) for index in indices}
        found = {index: self._kept[index] for index in wanted & self._kept.keys()}
        missing = wanted - found.keys()
        if missing and min(missing) <= self._position:
            self._pass = self._reader.frames()
        while missing:
            self._position, picture = next(self._pass, (self.num_frames, None))
            if picture is None:
                raise MediaError(self._reader.path, f'frame {min(missing)} cannot be decoded')
            if self._position in missing:
                missing.remove(self._position)
                found[self._position] = picture.copy()
        self._kept = {index: found[index] for index in sorted(found)[-2:]}
        return np.stack([found[int(index)] for index in indices])

    def release(self) -> None:
        """Release the file."""
        self._reader.close()
