"""Bodies of requests, streamed to disk and bounded."""

from __future__ import annotations

from pathlib import Path

import anyio
from starlette.exceptions import HTTPException
from starlette.requests import Request


def announced_bytes(request: Request, limit: int, what: str) -> int:
    """Bytes that a body will have at most: what its header says, or ``limit`` where it says nothing.

    Raises:
        HTTPException: 413 for more than ``limit``.
    """
    announced = request.headers.get('content-length', '')
    size = int(announced) if announced.isdecimal() else limit
    if size > limit:
        raise too_large(limit, what)
    return size


async def write_body(request: Request, path: Path, limit: int, what: str) -> None:
    """Write a body to a file as it arrives.

    Args:
        request: Its body has not been read.
        path: The file.
        limit: Bytes.
        what: What it is, for errors.

    Raises:
        HTTPException: 413 as soon as there are more than ``limit``; 400 for an empty body.
    """
    size = 0
    async with await anyio.open_file(path, 'wb') as file:
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                raise too_large(limit, what)
            await file.write(chunk)
    if not size:
        raise HTTPException(400, f'the {what} is empty: send the file as the body')


async def read_body(request: Request, limit: int, what: str) -> bytes:
    """A small body.

    Raises:
        HTTPException: 413 as soon as there are more than ``limit`` bytes.
    """
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > limit:
            raise too_large(limit, what)
    return bytes(content)


def too_large(limit: int, what: str) -> HTTPException:
    """The refusal of a body."""
    size = f'{limit / 2**20:,.0f} MiB' if limit >= 2**20 else f'{limit:,} bytes'
    return HTTPException(
        413, f'the {what} is larger than {size}: cut it, or start the server with a larger limit'
    )
