"""Serve the page with models that are loaded when they are first needed."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import uvicorn

from mart_mm.structures.emotion_report import EmotionReport
from mart_mm.ui.app import MAX_DISK_BYTES, MAX_UPLOAD_BYTES, create_app
from mart_mm.ui.jobs import Progress

_WILDCARDS = ('0.0.0.0', '::', '')
_SECONDS_TO_CLOSE = 3


class LazyAnalyser:
    """A model that is loaded by its first video, and analyses one at a time.

    Args:
        model: What :class:`mart_mm.apis.MARTInferencer` takes.
        options: Its other arguments.
    """

    def __init__(self, model: Any, **options: Any) -> None:
        self._model, self._options = model, options
        self._inferencer = None
        self._lock = threading.Lock()

    def __call__(self, path: Path, transcript: Path | None, on_progress: Progress) -> EmotionReport:
        """The report of a video."""
        while not self._lock.acquire(timeout=0.5):
            on_progress(0.0, 'waiting for the model')
        try:
            if self._inferencer is None:
                on_progress(0.0, 'loading the model')
                from mart_mm.apis import MARTInferencer

                self._inferencer = MARTInferencer(self._model, show_progress=False, **self._options)
            return self._inferencer.report(path, transcript=transcript, on_progress=on_progress)
        finally:
            self._lock.release()


def serve(
    models: Mapping[str, Any],
    host: str = '127.0.0.1',
    port: int = 8765,
    *,
    folder: str | Path | None = None,
    max_upload_bytes: int = MAX_UPLOAD_BYTES,
    max_disk_bytes: int = MAX_DISK_BYTES,
    num_workers: int = 1,
    allowed_hosts: Iterable[str] = (),
    **options: Any,
) -> None:
    """Serve until interrupted.

    There is no password: with another ``host`` than the default, whoever reaches it can use it.

    Args:
        models: Name shown -> what :class:`mart_mm.apis.MARTInferencer` takes.
        host: Address to listen on; ``'0.0.0.0'`` or ``'::'`` for all, with ``allowed_hosts``.
        port: 0 takes a free one.
        folder: Its videos can be chosen.
        max_upload_bytes: Of a video.
        max_disk_bytes: Of all uploads and exports.
        num_workers: Videos analysed at the same time.
        allowed_hosts: Names or addresses that other machines open the page under.
        options: Other arguments of the inferencer, the same for all models.

    Raises:
        ValueError: When it listens on all addresses under no name, and as ``create_app``.
    """
    names = set(allowed_hosts)
    if host not in _WILDCARDS:
        names.add(host)
    elif not names:
        raise ValueError(
            f'host {host!r} listens on all addresses: say in allowed_hosts under which name or '
            'address the page will be opened'
        )
    app = create_app(
        {name: LazyAnalyser(model, **options) for name, model in models.items()},
        folder=folder,
        max_upload_bytes=max_upload_bytes,
        max_disk_bytes=max_disk_bytes,
        num_workers=num_workers,
        allowed_hosts=names,
    )
    uvicorn.run(
        app,
        host=host,
        port=port,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_SECONDS_TO_CLOSE,
    )
