"""Many files by several processes, none of which can end the run."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait as wait_for

from mart_mm.errors import MediaError


def run_each(
    function: Callable[[object], None], items: Sequence[object], processes: int
) -> Iterator[tuple[object, str | None]]:
    """Call a function for each item.

    A decoder may crash on a broken file and take its process along. The items of that moment are then
    tried again one by one, each in a process of its own.

    Args:
        function: Known by name to other processes.
        items: Its arguments.
        processes: At the same time.

    Yields:
        Item and None, or the reason of its ``MediaError`` or crash, as they end.

    Raises:
        Exception: Any other of the function's.
    """
    waiting, suspects = deque(items), deque()
    while waiting or suspects:
        queue, alone = (suspects, True) if suspects else (waiting, False)
        size = 1 if alone else min(processes, len(queue))
        running: dict[Future, object] = {}
        with _pool(size) as pool:
            try:
                while queue or running:
                    while queue and len(running) < (1 if alone else 2 * size):
                        future = pool.submit(function, queue[0])
                        running[future] = queue.popleft()
                    finished, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in finished:
                        reason = _reason(future)
                        yield running.pop(future), reason
            except BrokenProcessPool:
                pass
        if not running:
            continue
        if alone:
            yield next(iter(running.values())), 'the process that read it crashed'
        else:
            suspects.extend(running.values())


def _reason(future: Future) -> str | None:
    try:
        future.result()
    except MediaError as error:
        return error.reason
    return None


def _pool(size: int) -> ProcessPoolExecutor:
    if 'forkserver' in multiprocessing.get_all_start_methods():
        context = multiprocessing.get_context('forkserver')
        context.set_forkserver_preload(['mart_mm.preparation.placing'])
    else:
        context = multiprocessing.get_context('spawn')
    return ProcessPoolExecutor(size, mp_context=context, initializer=_end_with_parent)


def _end_with_parent() -> None:
    """End this process when the one that started it is killed, instead of waiting for ever."""
    sentinel = multiprocessing.parent_process().sentinel

    def watch() -> None:
        wait_for([sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
