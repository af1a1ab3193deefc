"""Records whose decoder crashes or hangs: told like any other that cannot be read."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator

import torch
from torch.utils.data import get_worker_info

from mart_mm.datasets.reading_process import ReadingProcess, ReadingProcessError
from mart_mm.errors import MediaError

#: processes that a record may end: what ended the first one may have been another's fault
_TRIES = 2
_GOOD = 1 << 16  # no exit code


class ReadingGuard:
    """Reads records of a data set, in a loader's worker by a process of its own.

    A record that ends two processes in a row, by a crash or by taking too long, is given up together
    with all others of its file, by all workers and for the rest of the run.

    Args:
        read: Takes the index of a record.
        num_records: Of the data set.
        timeout: Seconds that one record may take; None reads in the worker itself.
    """

    def __init__(
        self, read: Callable[[int], dict], num_records: int, timeout: float | None
    ) -> None:
        if timeout is not None and not timeout > 0:
            raise ValueError(f'read_timeout={timeout}: must be above 0 seconds, or None')
        self._read, self.timeout = read, timeout
        # shared memory, so that each worker knows what ended the processes of the others
        self._codes = torch.full((num_records,), _GOOD, dtype=torch.int32).share_memory_()
        self._process: ReadingProcess | None = None

    def read(self, index: int, file_of: Callable[[int], str]) -> dict:
        """The sample of a record.

        Args:
            index: Of the record.
            file_of: What each record is read from.

        Raises:
            MediaError: When it cannot be read.
        """
        if self.timeout is None or get_worker_info() is None or not hasattr(os, 'fork'):
            return self._read(index)
        self._process = self._process or ReadingProcess(self._read, self.timeout)
        if self._codes[index] == _GOOD:
            for _ in range(_TRIES):
                try:
                    return self._process(index)
                except ReadingProcessError as error:
                    code = error.code
            for other in self._records_of(file_of(index), file_of):
                self._codes[other] = code
        raise MediaError(file_of(index), self._reason(int(self._codes[index])))

    def _records_of(self, file: str, file_of: Callable[[int], str]) -> Iterator[int]:
        return (index for index in range(len(self._codes)) if file_of(index) == file)

    def _reason(self, code: int) -> str:
        if code == -signal.SIGALRM:
            return (
                f'reading it took more than {self.timeout:g} s: if it is not damaged but far away, '
                "raise the data set's read_timeout"
            )
        if code == -signal.SIGKILL:
            return 'the process that read it was killed (signal 9): is memory short?'
        if code < 0:
            return f'its decoder crashed (signal {-code}, {signal.Signals(-code).name})'
        return f'its decoder ended the process (exit code {code})'
