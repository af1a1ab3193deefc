"""The application: routes, page and guard together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from anyio import CapacityLimiter
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from mart_mm.ui.guard import HEADERS, Guard
from mart_mm.ui.library import GoneError, NoRoomError
from mart_mm.ui.limits import DEFAULT_LIMITS, Limits
from mart_mm.ui.routes import ROUTES
from mart_mm.ui.service import Analyser, Service
from mart_mm.ui.uploads import Receiver

STATIC = Path(__file__).parent / 'static'
_NUM_THREADS = 2  # that open videos, read transcripts and write exports while somebody waits


def create_app(
    analysers: Mapping[str, Analyser],
    *,
    folder: str | Path | None = None,
    limits: Limits = DEFAULT_LIMITS,
    allowed_hosts: Iterable[str] = (),
) -> Starlette:
    """The page and what it asks for.

    Uploads, exports and threads exist from the start of the application to its end (its lifespan).

    Args:
        analysers: By the name of their model. Each is called with the video, subtitles or None, and a
            function that it tells its progress (a fraction and words); to cancel, that function
            raises :class:`mart_mm.ui.jobs.JobCancelled`, which the analyser lets pass.
        folder: Its videos can be chosen, by id.
        limits: What is taken.
        allowed_hosts: Names that the page may be opened under besides the loopback's.

    Raises:
        ValueError: Without analysers.
        NotADirectoryError: When ``folder`` is none.
    """
    if not analysers:
        raise ValueError('analysers: give at least one model')
    if folder is not None and not Path(folder).is_dir():
        raise NotADirectoryError(f'folder: {folder} is no folder of videos')

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        place = Path(folder) if folder is not None else None
        with Service(analysers, folder=place, limits=limits) as app.state.service:
            yield

    app = Starlette(
        routes=[Route('/', _page), *ROUTES, Mount('/static', StaticFiles(directory=STATIC))],
        middleware=[Middleware(Guard, allowed_hosts=allowed_hosts)],
        exception_handlers={
            HTTPException: _in_words,
            ClientDisconnect: _broken_off,
            GoneError: partial(_refused, status=404),
            NoRoomError: partial(_refused, status=507),
            Exception: _failed,
        },
        lifespan=lifespan,
    )
    app.state.receiver = Receiver(limits)
    app.state.threads = CapacityLimiter(_NUM_THREADS)
    return app


async def _page(_: Request) -> FileResponse:
    return FileResponse(STATIC / 'index.html')


async def _in_words(_: Request, error: HTTPException) -> JSONResponse:
    return JSONResponse(dict(error=error.detail), error.status_code, error.headers)


async def _broken_off(_: Request, __: Exception) -> JSONResponse:
    return JSONResponse(dict(error='the upload broke off'), 400)


async def _refused(_: Request, error: Exception, *, status: int) -> JSONResponse:
    return JSONResponse(dict(error=str(error)), status)


async def _failed(_: Request, error: Exception) -> JSONResponse:
    words = f'the server failed ({type(error).__name__}): its log says more'
    return JSONResponse(dict(error=words), 500, HEADERS)
