"""Bodies of requests: so many at a time, streamed to disk, bounded in size and in time."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
from starlette.exceptions import HTTPException
from starlette.requests import Request

from mart_mm.ui.limits import Limits

_MIN_RATE = 2**14  # bytes per second
_CLOSE = {'Connection': 'close'}  # what is left of the body is not waited for


class Receiver:
    """Takes the bodies of requests.

    Args:
        limits: Of which ``max_uploads`` and ``patience`` are meant.
    """

    def __init__(self, limits: Limits) -> None:
        self._max_uploads, self._patience = limits.max_uploads, limits.patience
        self._num_uploads = 0

    @contextmanager
    def uploading(self) -> Iterator[None]:
        """One of the uploads that may be under way.

        Raises:
            HTTPException: 429 where there are enough.
        """
        if self._num_uploads >= self._max_uploads:
            raise HTTPException(
                429, f'{self._max_uploads} uploads are under way: try again when one has ended'
            )
        self._num_uploads += 1
        try:
            yield
        finally:
            self._num_uploads -= 1

    async def write(self, request: Request, path: Path, limit: int, what: str) -> None:
        """Write a body to a file as it arrives.

        Args:
            request: Its body has not been read.
            path: The file.
            limit: Bytes.
            what: What it is, for errors.

        Raises:
            HTTPException: 413 as soon as there are more than ``limit``; 400 for an empty body; 408
                when it comes too slowly; 507 when the disk is full.
        """
        size = 0
        try:
            async with await anyio.open_file(path, 'wb') as file:
                async for chunk in self._arriving(request):
                    size += len(chunk)
                    if size > limit:
                        raise too_large(limit, what)
                    await file.write(chunk)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise
            raise HTTPException(
                507, f'the disk of the server is full: there is no room for the {what}', _CLOSE
            ) from error
        if not size:
            raise HTTPException(400, f'the {what} is empty: send the file as the body')

    async def read(self, request: Request, limit: int, what: str) -> bytes:
        """A small body.

        Raises:
            HTTPException: 413 as soon as there are more than ``limit`` bytes; 408 when it comes too
                slowly.
        """
        content = bytearray()
        async for chunk in self._arriving(request):
            content += chunk
            if len(content) > limit:
                raise too_large(limit, what)
        return bytes(content)

    async def _arriving(self, request: Request) -> AsyncIterator[bytes]:
        chunks = request.stream()
        waited, size, enough = 0.0, 0, self._patience * _MIN_RATE
        while True:
            start = anyio.current_time()
            with anyio.move_on_after(self._patience - waited) as waiting:
                chunk = await anext(chunks, None)
            if waiting.cancelled_caught:
                raise HTTPException(
                    408,
                    f'the body came too slowly: {enough / 2**10:,.0f} KiB are waited for '
                    f'{self._patience:g} s; send it again',
                    _CLOSE,
                )
            if chunk is None:
                return
            waited, size = waited + anyio.current_time() - start, size + len(chunk)
            if size >= enough:
                waited, size = 0.0, 0
            yield chunk


def announced_bytes(request: Request, limit: int, what: str) -> int:
    """Bytes that a body will have at most: what its header says, or ``limit`` where it says nothing.

    Raises:
        HTTPException: 413 for more than ``limit``.
    """
    is_chunked = 'transfer-encoding' in request.headers  # a length beside it means nothing
    announced = '' if is_chunked else request.headers.get('content-length', '')
    size = int(announced) if announced.isdecimal() else limit
    if size > limit:
        raise too_large(limit, what)
    return size


def too_large(limit: int, what: str) -> HTTPException:
    """The refusal of a body."""
    size = f'{limit / 2**20:,.0f} MiB' if limit >= 2**20 else f'{limit:,} bytes'
    return HTTPException(
        413, f'the {what} is larger than {size}: cut it, or start the server with a larger limit'
    )
