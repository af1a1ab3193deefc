"""What a run's process is made from: everything that training imports, loaded once and forked.

Importing takes longer than some epochs of a small run; the processes of a table share it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from multiprocessing import get_context
from multiprocessing.context import BaseContext
from pathlib import Path

_ROOT = str(Path(__file__).resolve().parents[3])
_PRELOADED = 'tools.analysis.paper_tables.preload'


def prepared_context(threads: int) -> BaseContext:
    """Where processes come from; the first call decides the number of threads.

    Args:
        threads: Of torch and its libraries, in each process.
    """
    os.environ.update({name: str(threads) for name in ('OMP_NUM_THREADS', 'MKL_NUM_THREADS')})
    paths = os.environ.get('PYTHONPATH', '').split(os.pathsep)
    if _ROOT not in paths:  # the server that is forked finds its imports by the environment only
        os.environ['PYTHONPATH'] = os.pathsep.join([_ROOT, *filter(None, paths)])
    context = get_context('forkserver')
    context.set_forkserver_preload([_PRELOADED])
    return context


def train_in_child(arguments: Sequence[str], log: str) -> None:
    """Body of a process: ``tools/train.py ARGUMENTS``, all output into a file.

    Args:
        arguments: Of the command line.
        log: Path of the file.
    """
    with open(log, 'w', encoding='utf-8') as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    from tools import train

    sys.argv = ['tools/train.py', *arguments]
    train.main()
