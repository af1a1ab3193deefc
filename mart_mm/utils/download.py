"""Files behind a web address, fetched whole or not at all."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from pathlib import Path

_TIMEOUT = 60.0  # seconds without a byte
_TRIES = 3  # of an address that answers, but not with the file
_PAUSE = 0.5  # seconds before the second try, twice as long before the third
_BLOCK = 2**20


class DownloadError(OSError):
    """What an address holds cannot be had whole; the message says why, not where."""


def is_web_address(path: str | Path) -> bool:
    """Whether this is ``http(s)://...``; a :class:`~pathlib.Path` never is."""
    return isinstance(path, str) and path.lower().startswith(('http://', 'https://'))


def download(address: str, target: Path) -> None:
    """Write what an address holds to a file.

    It never waits for ever, asks again where a server fails for the moment, and checks the length that
    was announced.

    Args:
        address: ``http://`` or ``https://``.
        target: The file; incomplete when this fails.

    Raises:
        DownloadError: When it cannot be had whole.
        OSError: When the file cannot be written.
    """
    reason = ''
    for attempt in range(_TRIES):
        if attempt:
            time.sleep(_PAUSE * 2 ** (attempt - 1))
        try:
            answer = urllib.request.urlopen(address, timeout=_TIMEOUT)
        except urllib.error.HTTPError as error:
            reason = str(error)
            error.close()
            if error.code < 500:
                break
            continue
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = str(error)
            continue
        with answer:
            reason = _copy(answer, target)
        if not reason:
            return
    raise DownloadError(reason)


def _copy(answer: http.client.HTTPResponse, target: Path) -> str:
    """Write an answer to a file; why it is not whole, or nothing."""
    announced = answer.headers.get('Content-Length')
    with target.open('wb') as out:
        while True:
            try:
                block = answer.read(_BLOCK)
            except (OSError, http.client.HTTPException) as error:
                return f'it breaks off: {error}'
            if not block:
                break
            out.write(block)
        size = out.tell()
    if announced is not None and size != int(announced):
        return f'it breaks off after {size} of {announced} bytes'
    return ''
