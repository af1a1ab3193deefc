"""What the page asks for: videos, jobs, reports and files.

====== ==================================== ======================================================
GET    /api/config                          models, formats, limits, videos and jobs
POST   /api/videos?name=                    body: a video; 201 with its id
POST   /api/videos/{id}/transcript?name=    body: subtitles of an upload
GET    /api/videos/{id}/media               the file, with ranges
POST   /api/jobs                            ``{"video": id, "model": name}``; 202 with the job
GET    /api/jobs, /api/jobs/{id}            state, progress, message, error
POST   /api/jobs/{id}/cancel
GET    /api/jobs/{id}/report                the emotion report
GET    /api/jobs/{id}/exports/{format}      the file, to be saved
POST   /api/jobs/{id}/exports/{format}      make a slow one; 202 with its job
====== ==================================== ======================================================

Errors are ``{"error": "in words"}`` with 400 (what was sent is wrong), 404, 408 (too slow), 409 (not
ready), 413 (too large), 415 (no video), 429 (too many jobs or uploads) or 507 (no room).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from mart_mm.errors import MediaError, unknown_name
from mart_mm.lexicon.transcript import SUFFIXES, TranscriptError, read_transcript
from mart_mm.ui import exporting
from mart_mm.ui.jobs import Job, QueueFullError
from mart_mm.ui.library import Video, new_id
from mart_mm.ui.media import MEDIA_TYPES, check_media
from mart_mm.ui.names import display_name, download_name
from mart_mm.ui.service import Service
from mart_mm.ui.stored_file import StoredFile
from mart_mm.ui.uploads import announced_bytes

_MAX_TRANSCRIPT_BYTES = 2 * 2**20
_MAX_JSON_BYTES = 2**12


def _service(request: Request) -> Service:
    return request.app.state.service


def _video(request: Request, video_id: str | None = None) -> Video:
    wanted = request.path_params['video'] if video_id is None else video_id
    video = _service(request).library.find(wanted)
    if video is None:
        raise HTTPException(404, 'there is no such video (any more): upload or choose it again')
    return video


def _check_place(request: Request, video: Video) -> None:
    if not _service(request).library.is_there(video):
        raise HTTPException(404, f'{video.name} is not where it was')


def _job(request: Request) -> Job:
    job = _service(request).jobs.find(request.path_params['job'])
    if job is None:
        raise HTTPException(404, 'there is no such job (any more): analyse the video again')
    return job


def _analysis(request: Request) -> tuple[Job, Video]:
    job = _job(request)
    video = _service(request).library.find(job.video_id)
    if job.kind != 'analysis' or video is None:
        raise HTTPException(404, 'this is no analysis of a video')
    if job.state != 'done':
        raise HTTPException(409, f'the analysis is {job.state}: there is no result')
    return job, video


def _suffix(name: str, known: object, what: str) -> str:
    suffix = Path(name).suffix.lower()
    if suffix not in known:
        raise HTTPException(415, f'{name}: the name of a {what} ends in one of {", ".join(known)}')
    return suffix


async def _work(request: Request, work: Callable, *arguments: Any) -> Any:
    """In a thread. There are few of them, which are not those that files are read and written by."""
    return await to_thread.run_sync(work, *arguments, limiter=request.app.state.threads)


async def config(request: Request) -> JSONResponse:
    """What can be chosen."""
    service = _service(request)
    return JSONResponse(
        dict(
            models=list(service.analysers),
            formats=exporting.formats(),
            slow_formats=sorted(exporting.SLOW_FORMATS),
            max_upload_bytes=service.limits.max_upload_bytes,
            video_suffixes=list(MEDIA_TYPES),
            transcript_suffixes=SUFFIXES,
            videos=[video.to_dict() for video in service.library.all()],
            jobs=[job.to_dict() for job in service.jobs.all()],
        )
    )


async def upload_video(request: Request) -> JSONResponse:
    """Take a video."""
    service, receiver = _service(request), request.app.state.receiver
    name = display_name(request.query_params.get('name', ''))
    suffix = _suffix(name, MEDIA_TYPES, 'video')
    size = announced_bytes(request, service.limits.max_upload_bytes, 'video')
    try:
        with receiver.uploading(), service.library.receiving(size) as folder:
            path = folder / f'media{suffix}'
            await receiver.write(request, path, size, 'video')
            await _work(request, check_media, path, name, service.limits)
            video = service.library.add(path, name)
    except MediaError as error:
        raise HTTPException(415, str(error)) from error
    return JSONResponse(video.to_dict(), 201)


async def upload_transcript(request: Request) -> JSONResponse:
    """Take the subtitles of an upload."""
    service, video = _service(request), _video(request)
    if not video.is_upload:
        raise HTTPException(
            400, f'{video.name} is in a folder: its subtitles are the file beside it'
        )
    if service.is_busy(video):
        raise HTTPException(409, f'{video.name} is being analysed: wait, or cancel the job')
    name = display_name(request.query_params.get('name', ''))
    suffix = _suffix(name, SUFFIXES, 'transcript')
    size = announced_bytes(request, _MAX_TRANSCRIPT_BYTES, 'transcript')
    path = video.path.parent / f'{new_id()}{suffix}'
    try:
        with request.app.state.receiver.uploading(), service.library.adding(video, size):
            await _take_transcript(request, path, size)
            changed = service.library.set_transcript(video, path)
    except TranscriptError as error:
        raise HTTPException(415, f'{name}: {error.reason}') from error
    return JSONResponse(changed.to_dict(), 201)


async def _take_transcript(request: Request, path: Path, size: int) -> None:
    try:
        await request.app.state.receiver.write(request, path, size, 'transcript')
        await _work(request, read_transcript, path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


async def media(request: Request) -> StoredFile:
    """The video itself; Starlette answers ranges."""
    video = _video(request)
    _check_place(request, video)
    return StoredFile(video.path, media_type=MEDIA_TYPES[video.path.suffix.lower()])


async def start_job(request: Request) -> JSONResponse:
    """Queue an analysis."""
    service = _service(request)
    try:
        body = await request.app.state.receiver.read(request, _MAX_JSON_BYTES, 'request')
        wanted = json.loads(body)
        video_id, model = str(wanted['video']), str(wanted['model'])
        model.encode()  # half a character cannot be written into an answer
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise HTTPException(
            400, 'send {"video": id, "model": name} as JSON to start a job'
        ) from error
    if model not in service.analysers:
        raise HTTPException(400, unknown_name('model', model, service.analysers))
    video = _video(request, video_id)
    _check_place(request, video)
    try:
        job = await _work(request, service.analyse, video, model)
    except MediaError as error:
        raise HTTPException(415, str(error)) from error
    except QueueFullError as error:
        raise HTTPException(429, str(error)) from error
    return JSONResponse(job.to_dict(), 202)


async def list_jobs(request: Request) -> JSONResponse:
    """All jobs, the oldest first."""
    return JSONResponse([job.to_dict() for job in _service(request).jobs.all()])


async def show_job(request: Request) -> JSONResponse:
    """How far a job is."""
    return JSONResponse(_job(request).to_dict())


async def cancel_job(request: Request) -> JSONResponse:
    """Stop a job."""
    job = _job(request)
    _service(request).jobs.cancel(job)
    return JSONResponse(job.to_dict(), 202)


async def report(request: Request) -> JSONResponse:
    """What an analysis found."""
    return JSONResponse(_analysis(request)[0].result.to_dict())


def _format(request: Request) -> str:
    name = request.path_params['format']
    if name not in exporting.formats():
        raise HTTPException(404, unknown_name('format', name, exporting.formats()))
    return name


async def export_file(request: Request) -> StoredFile:
    """A file of the result."""
    service, (job, video), name = _service(request), _analysis(request), _format(request)
    is_made = exporting.is_made(service.results(job), name)
    if name in exporting.SLOW_FORMATS and not is_made:
        raise HTTPException(409, f'{name} takes a while: ask for it with POST first')
    try:
        path = await _work(request, service.export, job, video, name)
    except (ValueError, OSError, MediaError) as error:
        raise HTTPException(422, f'{name} cannot be written: {error}') from error
    return StoredFile(path, filename=download_name(video.name, job.name, _ending(name, path)))


def _ending(name: str, path: Path) -> str:
    return f'.{name}{path.suffix}' if path.suffix != f'.{name}' else path.suffix


async def make_export(request: Request) -> JSONResponse:
    """Queue an export."""
    service, (job, video), name = _service(request), _analysis(request), _format(request)
    try:
        return JSONResponse(service.export_later(job, video, name).to_dict(), 202)
    except QueueFullError as error:
        raise HTTPException(429, str(error)) from error


ROUTES = [
    Route('/api/config', config),
    Route('/api/videos', upload_video, methods=['POST']),
    Route('/api/videos/{video}/transcript', upload_transcript, methods=['POST']),
    Route('/api/videos/{video}/media', media),
    Route('/api/jobs', list_jobs),
    Route('/api/jobs', start_job, methods=['POST']),
    Route('/api/jobs/{job}', show_job),
    Route('/api/jobs/{job}/cancel', cancel_job, methods=['POST']),
    Route('/api/jobs/{job}/report', report),
    Route('/api/jobs/{job}/exports/{format}', export_file),
    Route('/api/jobs/{job}/exports/{format}', make_export, methods=['POST']),
]
