"""The videos that can be looked at: those of a folder, and uploads in a bounded place on disk."""

from __future__ import annotations

import os
import secrets
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from mart_mm.ui.limits import Limits
from mart_mm.ui.media import MEDIA_TYPES
from mart_mm.ui.names import display_name


class NoRoomError(RuntimeError):
    """The disk space for uploads is taken by videos that are in use."""


class GoneError(LookupError):
    """An upload has made room for others."""


@dataclass(frozen=True)
class Video:
    """A video that may be asked for.

    Attributes:
        id: Random; says nothing of the file.
        name: As shown.
        path: The file.
        size: Bytes.
        is_upload: Whether it goes away with its folder.
        transcript: Subtitles that were uploaded with it.
    """

    id: str
    name: str
    path: Path
    size: int
    is_upload: bool
    transcript: Path | None = None

    def to_dict(self) -> dict:
        """What the page is told."""
        return dict(
            id=self.id,
            name=self.name,
            size=self.size,
            is_upload=self.is_upload,
            has_transcript=self.transcript is not None,
        )


def new_id() -> str:
    """A name that cannot be guessed."""
    return secrets.token_urlsafe(12)


class Library:
    """Videos by id.

    Args:
        root: Place of uploads and results; it is the caller's to remove.
        folder: Its videos can be chosen (not those of folders in it); None offers uploads only.
        limits: Of which ``max_disk_bytes`` (all below ``root``) and ``max_videos`` are meant. Uploads
            that are not in use make room for new ones, the oldest first.
        free: Told the id of an upload, lets go of all that was made of it and says whether the upload
            can be removed.

    Raises:
        NotADirectoryError: When ``folder`` is none.
    """

    def __init__(
        self, root: Path, folder: Path | None, limits: Limits, free: Callable[[str], bool]
    ) -> None:
        self.root, self.folder = root, folder.resolve() if folder else None
        self.max_bytes, self.max_videos = limits.max_disk_bytes, limits.max_videos
        self._free = free
        self._lock = threading.RLock()
        self._reserved: list[tuple[int, int]] = []  # bytes and videos of what is under way
        self._held: Counter[str] = Counter()
        self._videos = {video.id: video for video in _videos_of(self.folder)} if folder else {}

    def all(self) -> list[Video]:
        """In the order they came."""
        with self._lock:
            return list(self._videos.values())

    def find(self, video_id: str) -> Video | None:
        """The video of an id, None where there is none (any more)."""
        with self._lock:
            return self._videos.get(video_id)

    def is_there(self, video: Video) -> bool:
        """Whether its file still is where it was, and not a link that leads elsewhere by now."""
        inside = self.root.resolve() if video.is_upload else self.folder
        return _is_file_of(inside, video.path)

    @contextmanager
    def receiving(self, num_bytes: int) -> Iterator[Path]:
        """An empty folder for an upload; it is removed when the block fails.

        Args:
            num_bytes: Of the upload, at most.

        Raises:
            NoRoomError: When what is in use leaves too little room.
        """
        with self._reserving(num_bytes, num_videos=1):
            folder = self.root / 'uploads' / new_id()
            try:
                folder.mkdir(parents=True)
                yield folder
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise

    @contextmanager
    def adding(self, video: Video, num_bytes: int) -> Iterator[None]:
        """Room for what is made of a video; the video stays as long as the block lasts.

        Raises:
            GoneError: When the video is not there any more.
            NoRoomError: When what is in use leaves too little room.
        """
        with self._lock:
            if video.id not in self._videos:
                raise GoneError(f'{video.name} has made room for others: upload it again')
            self._held[video.id] += 1
        try:
            with self._reserving(num_bytes, num_videos=0):
                yield
        finally:
            with self._lock:
                self._held[video.id] -= 1
                self._held += Counter()  # without those at 0

    @contextmanager
    def _reserving(self, num_bytes: int, num_videos: int) -> Iterator[None]:
        with self._lock:
            self._make_room(num_bytes, num_videos)
            self._reserved.append((num_bytes, num_videos))
        try:
            yield
        finally:
            with self._lock:
                self._reserved.remove((num_bytes, num_videos))

    def add(self, path: Path, name: str) -> Video:
        """Offer an upload."""
        video = Video(new_id(), name, path, path.stat().st_size, is_upload=True)
        with self._lock:
            self._videos[video.id] = video
        return video

    def set_transcript(self, video: Video, path: Path) -> Video:
        """Give an upload its subtitles, in the place of earlier ones."""
        with self._lock:
            earlier = self._videos[video.id].transcript
            changed = self._videos[video.id] = replace(video, transcript=path)
        if earlier is not None:
            earlier.unlink(missing_ok=True)
        return changed

    def _make_room(self, num_bytes: int, num_videos: int) -> None:
        for video in self.all():
            if self._fits(num_bytes, num_videos):
                return
            if video.is_upload and not self._held[video.id] and self._free(video.id):
                del self._videos[video.id]
                shutil.rmtree(video.path.parent, ignore_errors=True)
        if not self._fits(num_bytes, num_videos):
            raise NoRoomError(
                f'{num_bytes:,} bytes do not fit beside the videos in use ({self.max_bytes:,} bytes '
                f'and {self.max_videos} videos in all): wait until they are done, or cancel them'
            )

    def _fits(self, num_bytes: int, num_videos: int) -> bool:
        videos = sum(video.is_upload for video in self._videos.values())
        videos += sum(number for _, number in self._reserved)
        has_place = not num_videos or videos + num_videos <= self.max_videos
        return has_place and self._taken() + num_bytes <= self.max_bytes

    def _taken(self) -> int:
        received = {video.path.parent for video in self._videos.values() if video.is_upload}
        folders = [*received, self.root / 'results']
        return sum(size for size, _ in self._reserved) + sum(map(_bytes_below, folders))


def _bytes_below(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):  # files may go away meanwhile
        for name in names:
            with suppress(FileNotFoundError):
                total += os.stat(os.path.join(parent, name)).st_size
    return total


def _is_file_of(folder: Path, path: Path) -> bool:
    return path.is_file() and path.resolve().is_relative_to(folder)  # links may lead out


def _videos_of(folder: Path) -> Iterator[Video]:
    if not folder.is_dir():
        raise NotADirectoryError(f'{folder}: a folder of videos is expected')
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in MEDIA_TYPES and _is_file_of(folder, path):
            yield Video(new_id(), display_name(path.name), path, path.stat().st_size, False)
