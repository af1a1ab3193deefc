"""What a run's process is made from: everything that training imports, loaded once and forked.

Importing takes longer than some epochs of a small run; the processes of a table share it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from multiprocessing import forkserver, get_context
from multiprocessing.context import BaseContext
from pathlib import Path

_ROOT = str(Path(__file__).resolve().parents[3])
_PRELOADED = 'tools.analysis.paper_tables.preload'


def prepared_context() -> BaseContext:
    """Where processes come from; the first call starts the server that they are forked from."""
    context = get_context('forkserver')
    context.set_forkserver_preload([_PRELOADED])
    before = os.environ.get('PYTHONPATH')
    # the server finds its imports by the environment only
    os.environ['PYTHONPATH'] = os.pathsep.join(filter(None, (_ROOT, before)))
    try:
        forkserver.ensure_running()
    finally:
        os.environ.pop('PYTHONPATH')
        if before is not None:
            os.environ['PYTHONPATH'] = before
    return context


def train_in_child(arguments: Sequence[str], log: str, threads: int) -> None:
    """Body of a process: ``tools/train.py ARGUMENTS``, all output into a file.

    Args:
        arguments: Of the command line.
        log: Path of the file.
        threads: Of torch.
    """
    with open(log, 'w', encoding='utf-8') as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    import torch

    from tools import train

    torch.set_num_threads(threads)
    sys.argv = ['tools/train.py', *arguments]
    train.main()
