"""Processes that may hang or crash without ending the run."""

from __future__ import annotations

import multiprocessing
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from typing import NamedTuple

#: seconds between two signs of life
_BEAT = 0.5


class Outcome(NamedTuple):
    """What became of an item.

    Attributes:
        item: The item.
        result: What the function returned.
        failure: Why there is no result; empty where there is one.
    """

    item: object
    result: object
    failure: str = ''


def run_watched(
    function: Callable[[object, Callable[[], None]], object],
    items: Sequence[object],
    jobs: int,
    timeout: float,
) -> Iterator[Outcome]:
    """Call ``function(item, beat)`` for each item in processes.

    A process that dies, or gives no sign of life for ``timeout`` seconds, is replaced, and its item
    has failed. The calling script needs ``if __name__ == '__main__':``.

    Args:
        function: Known by name to other processes. It calls ``beat()`` while it gets on.
        items: Its first arguments.
        jobs: Processes at the same time.
        timeout: Seconds.

    Yields:
        An outcome per item, as they end.
    """
    waiting = deque(items)
    workers = [_Worker(function) for _ in range(min(jobs, len(waiting)))]
    try:
        for worker in workers:
            worker.give(waiting.popleft(), timeout)
        while workers:
            ready = wait([worker.pipe for worker in workers], _BEAT)
            for place, worker in enumerate(list(workers)):
                outcome = worker.listen(worker.pipe in ready, timeout)
                if outcome is None:
                    continue
                yield outcome
                if outcome.failure and not worker.process.is_alive():
                    worker = workers[place] = _Worker(function)
                if waiting:
                    worker.give(waiting.popleft(), timeout)
                else:
                    worker.item = None
            for worker in [worker for worker in workers if worker.item is None]:
                worker.end()
                workers.remove(worker)
    finally:
        for worker in workers:
            worker.end()


class _Worker:
    """A process, and the item it has in hand."""

    def __init__(self, function: Callable) -> None:
        context = _context()
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(function, theirs), daemon=True)
        self.process.start()
        theirs.close()
        self.item: object = None
        self.deadline = 0.0

    def give(self, item: object, timeout: float) -> None:
        self.item, self.deadline = item, time.monotonic() + timeout
        try:
            self.pipe.send(item)
        except OSError:  # it died before; listening tells
            pass

    def listen(self, is_ready: bool, timeout: float) -> Outcome | None:
        """The item's outcome, or None while it is in work."""
        if not is_ready:
            if time.monotonic() < self.deadline:
                return None
            self.end()
            return Outcome(self.item, None, f'decoder hangs: no progress for {timeout:g} s')
        try:
            message = self.pipe.recv()
        except (EOFError, OSError):
            self.process.join()
            code = self.process.exitcode
            return Outcome(self.item, None, f'decoder crashed (exit code {code})')
        if message is None:  # a sign of life
            self.deadline = time.monotonic() + timeout
            return None
        return Outcome(self.item, *message)

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()


def _context() -> multiprocessing.context.BaseContext:
    if 'forkserver' not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context('spawn')
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload(['mart_mm.apis.scan.probe'])
    return context


def _serve(function: Callable, pipe: Connection) -> None:
    """Work off items until the other end is gone."""
    last = 0.0

    def beat() -> None:
        nonlocal last
        now = time.monotonic()
        if now - last > _BEAT:
            last = now
            pipe.send(None)

    while True:
        try:
            item = pipe.recv()
        except EOFError:
            return
        try:
            message = (function(item, beat), '')
        except Exception as error:  # noqa: BLE001  one file must not end the scan
            place = traceback.extract_tb(error.__traceback__)[-1]
            message = (None, f'{error!r} in {place.name}, line {place.lineno}')
        pipe.send(message)
