"""Processes that load data."""

from __future__ import annotations

import os
import signal
import threading

from mart_mm.registry import FUNCTIONS


@FUNCTIONS.register_module()
def end_with_parent(worker_id: int) -> None:
    """Let a worker heed the SIGTERM of its own parent only.

    Slurm, ``timeout`` and ``kill -- -GROUP`` send it to all processes of a run. A worker that dies of it
    takes the run down in the middle of a step; one that lives on lets the run save and end in order, see
    :class:`mart_mm.engine.hooks.graceful_stop.GracefulStopHook`. Where the system does not tell who sent a
    signal (macOS), nothing changes.

    Args:
        worker_id: Of torch's loader, which calls this in each worker.
    """
    if not hasattr(signal, 'sigwaitinfo'):
        return
    parent = os.getppid()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})

    def listen() -> None:
        while signal.sigwaitinfo({signal.SIGTERM}).si_pid != parent:
            pass
        os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
