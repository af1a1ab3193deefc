"""What the page takes, and for how long it waits."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds of a server; what is beyond them is refused in words.

    Attributes:
        max_upload_bytes: Of a video.
        max_disk_bytes: Of all uploads and exports; uploads that are not in use make room, the oldest
            first.
        max_videos: Uploads that are kept, in the same way.
        max_uploads: Videos and transcripts that are received at the same time.
        max_connections: Open at the same time.
        max_pixels: Of a picture of a video.
        max_hours: That a video may announce.
        num_workers: Videos analysed at the same time.
        max_queued: Jobs that may wait.
        max_results: Finished jobs that are kept.
        patience: Seconds in which the head of a request must come, ``patience`` x 16 KiB of a body
            (or its end), and anything that is sent must be taken.

    Raises:
        ValueError: For a bound below 1, and an upload that is larger than the disk.
    """

    max_upload_bytes: int = 2 * 2**30
    max_disk_bytes: int = 8 * 2**30
    max_videos: int = 64
    max_uploads: int = 8
    max_connections: int = 128
    max_pixels: int = 8192 * 8192
    max_hours: int = 24
    num_workers: int = 1
    max_queued: int = 16
    max_results: int = 64
    patience: float = 30.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            least = 0 if name == 'max_results' else 1
            if value < least:
                raise ValueError(f'{name} must be at least {least}, got {value}')
        if self.max_upload_bytes > self.max_disk_bytes:
            raise ValueError(
                f'max_upload_bytes={self.max_upload_bytes} is more than '
                f'max_disk_bytes={self.max_disk_bytes}'
            )


DEFAULT_LIMITS = Limits()
