"""Serve the page with models that are loaded when they are first needed."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette

from mart_mm.structures.emotion_report import EmotionReport
from mart_mm.ui.app import create_app
from mart_mm.ui.connections import PatientProtocol
from mart_mm.ui.jobs import Progress
from mart_mm.ui.limits import DEFAULT_LIMITS, Limits
from mart_mm.zoo.weights import locate

_WILDCARDS = ('0.0.0.0', '::', '')
_SECONDS_TO_CLOSE = 3


class LazyAnalyser:
    """A model that is loaded by its first video, and analyses one at a time.

    Args:
        options: Arguments of :class:`mart_mm.apis.MARTInferencer`.
    """

    def __init__(self, **options: Any) -> None:
        self._options = options
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

                self._inferencer = MARTInferencer(show_progress=False, masks=True, **self._options)
            return self._inferencer.report(path, transcript=transcript, on_progress=on_progress)
        finally:
            self._lock.release()


def find_models(models: Iterable[str]) -> dict[str, dict[str, str]]:
    """What the page calls each model, and how an inferencer is told to load it.

    Args:
        models: As :func:`mart_mm.zoo.weights.locate` takes them.

    Returns:
        Name -> ``model`` and, of a config, ``weights``.

    Raises:
        FileNotFoundError: When there is no such model, or there are no weights; with the remedy.
        ValueError: When two models have the same name.
    """
    found: dict[str, dict[str, str]] = {}
    for model in map(str, models):
        source, weights = locate(model)
        if weights is None:
            path = Path(source).resolve()
            name, options = f'{path.parent.name}/{path.name}', dict(model=source)
        else:
            name, options = Path(source).stem, dict(model=source, weights=weights)
        if name in found:
            raise ValueError(f'models: two are called {name}: give each its own name')
        found[name] = options
    return found


def serve(
    models: Iterable[str],
    host: str = '127.0.0.1',
    port: int = 8765,
    *,
    folder: str | Path | None = None,
    device: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
    allowed_hosts: Iterable[str] = (),
) -> None:
    """Serve until interrupted.

    There is no password: with another ``host`` than the default, whoever reaches it can use it.

    Args:
        models: See :func:`find_models`.
        host: Address to listen on; ``'0.0.0.0'`` or ``'::'`` for all, with ``allowed_hosts``.
        port: 0 takes a free one.
        folder: Its videos can be chosen.
        device: Such as ``'cuda'``; None takes the GPU if there is one.
        limits: What is taken.
        allowed_hosts: Names or addresses that other machines open the page under.

    Raises:
        FileNotFoundError: As :func:`find_models`.
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
        {
            name: LazyAnalyser(**options, device=device)
            for name, options in find_models(models).items()
        },
        folder=folder,
        limits=limits,
        allowed_hosts=names,
    )
    run(app, host, port, limits)


def run(app: Starlette, host: str, port: int, limits: Limits) -> None:
    """Serve an application until interrupted.

    Args:
        app: Of :func:`mart_mm.ui.app.create_app`.
        host: Address to listen on.
        port: 0 takes a free one.
        limits: Those of ``app``.
    """
    uvicorn.run(
        app,
        host=host,
        port=port,
        http=partial(
            PatientProtocol, patience=limits.patience, max_connections=limits.max_connections
        ),
        ws='none',
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_SECONDS_TO_CLOSE,
    )
