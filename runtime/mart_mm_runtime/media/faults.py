"""The one place where failures of opening, seeking and decoding become a :class:`MediaError`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike

import av

from mart_mm_runtime.errors import MediaError

#: what FFmpeg, decord, Pillow and NumPy raise over damaged content; TypeError, LookupError and the like
#: are mistakes in code and pass
FAULTS = (
    av.FFmpegError,
    OSError,
    ValueError,
    ArithmeticError,
    MemoryError,
    EOFError,
    RuntimeError,
)
#: a header that announces more than this is damaged; 8K, 64 channels and a day are none of it
MAX_PIXELS, MAX_ASPECT, MAX_CHANNELS, MAX_SECONDS = 1 << 26, 64, 64, 86400
SAMPLE_RATES = (1000, 768_000)
#: options of decoders, for files that change their size on the way
DECODER_LIMITS = dict(max_pixels=str(MAX_PIXELS))
#: bytes of pictures that are read at once
MAX_BYTES = 1 << 32


@contextmanager
def media_faults(path: str | PathLike, what: str) -> Iterator[None]:
    """Tell failures within the block as those of a file.

    Args:
        path: The file.
        what: What fails, e.g. ``'cannot be opened'``.

    Raises:
        MediaError: For each of :data:`FAULTS`, with the reason in brackets.
    """
    try:
        yield
    except MediaError:
        raise
    except FAULTS as error:
        raise MediaError(str(path), f'{what} ({reason_of(error)})') from error


def reason_of(error: BaseException) -> str:
    """What an error says, without the path that FFmpeg's errors repeat."""
    if isinstance(error, MemoryError):
        return 'memory is short'
    return getattr(error, 'strerror', None) or str(error) or type(error).__name__


def open_media(path: str | PathLike, what: str = 'cannot be opened') -> av.container.InputContainer:
    """Open a file; names and titles in it that are no text are mended.

    Args:
        path: The file.
        what: Is said of one that cannot be opened.

    Raises:
        MediaError: When that fails.
    """
    with media_faults(path, what):
        return av.open(str(path), metadata_errors='replace')


def check_picture(path: str, width: int, height: int) -> None:
    """Refuse pictures of a size that no film has, before memory is taken for them.

    Raises:
        MediaError: With the size and what is allowed.
    """
    sides = sorted((width, height))
    if sides[0] < 1 or sides[0] * sides[1] > MAX_PIXELS or sides[1] > MAX_ASPECT * sides[0]:
        raise MediaError(
            path,
            f'pictures of {width}x{height} are refused: up to {MAX_PIXELS} pixels and '
            f'sides of 1:{MAX_ASPECT} are read; recode the file if it is not damaged',
        )


def check_room(path: str, count: int, width: int, height: int) -> None:
    """Refuse to take memory for more pictures than fit into :data:`MAX_BYTES`.

    Raises:
        MediaError: With the numbers and the remedy.
    """
    room = 3 * count * width * height
    if room > MAX_BYTES:
        raise MediaError(
            path,
            f'{count} frames of {width}x{height} take {room / 2**30:.1f} GiB, more than '
            f'{MAX_BYTES >> 30}: read them smaller (size) or fewer',
        )


def check_sound(path: str, rate: int, channels: int) -> None:
    """Refuse sound that no file has.

    Raises:
        MediaError: With the numbers and what is allowed.
    """
    if not (rate and channels):  # not known before something decodes
        return
    if not SAMPLE_RATES[0] <= rate <= SAMPLE_RATES[1] or channels > MAX_CHANNELS:
        raise MediaError(
            path,
            f'sound of {channels} channels at {rate} Hz is refused: up to {MAX_CHANNELS} channels at '
            f'{SAMPLE_RATES[0]} to {SAMPLE_RATES[1]} Hz are read',
        )


def check_seconds(path: str, seconds: float, what: str) -> None:
    """Refuse lengths that come from damaged time stamps.

    Args:
        path: The file.
        seconds: Its length.
        what: Is that long, e.g. ``'the sound'``.

    Raises:
        MediaError: When it is nothing, or more than a day.
    """
    if not 0 < seconds <= MAX_SECONDS:
        raise MediaError(
            path, f'{what} lasts {seconds:.6g} s by its time stamps, which must be damaged'
        )
