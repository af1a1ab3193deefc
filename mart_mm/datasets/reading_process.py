"""Reading in a process that may crash or hang without harm to the one that asks."""

from __future__ import annotations

import io
import mmap
import os
import pickle
import signal
import traceback
from collections.abc import Callable
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from multiprocessing.pool import RemoteTraceback

import torch
from torch import Tensor

#: bytes of shared memory for what comes back; only what is used of it takes memory
_ROOM = 1 << 28


class ReadingProcessError(RuntimeError):
    """The process ended in the midst of its work.

    Args:
        code: Its exit code, or the negative number of the signal that ended it.
    """

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code

    @property
    def is_timeout(self) -> bool:
        """Whether it was ended because it took too long."""
        return self.code == -signal.SIGALRM


class ReadingProcess:
    """Calls a function in a forked process, again and again.

    The process is forked at the first call, and anew after it ended. Tensors and arrays of what the
    function returns come back through shared memory; they are the caller's own.

    Args:
        function: Takes one argument.
        timeout: Seconds after which the kernel ends the process, whatever it does.
    """

    def __init__(self, function: Callable[[object], object], timeout: float) -> None:
        self.function, self.timeout = function, timeout
        self._room = mmap.mmap(-1, _ROOM)
        self._pid, self._pipe = 0, None

    def __call__(self, item: object) -> object:
        """What the function returns.

        Raises:
            ReadingProcessError: When the process ended over it.
            Exception: Whatever the function raises.
        """
        try:
            self._ask(item)
            head, sizes, is_in_room = self._pipe.recv()
            pieces = self._from_room(sizes) if is_in_room else [self._next() for _ in sizes]
        except (EOFError, ConnectionError):
            raise ReadingProcessError(self._bury()) from None
        is_good, value = pickle.loads(head, buffers=pieces)
        if is_good:
            return value
        error, where = value
        raise error from RemoteTraceback(where)

    def _ask(self, item: object) -> None:
        if self._pid:
            try:
                self._pipe.send(item)
                return
            except ConnectionError:  # it ended while it had nothing to do: no fault of the item's
                self._bury()
        self._start()
        self._pipe.send(item)

    def _start(self) -> None:
        self._pipe, theirs = Pipe()
        self._pid = os.fork()
        if self._pid:
            theirs.close()
            return
        try:
            self._pipe.close()
            self._serve(theirs)
        finally:
            os._exit(1)

    def _bury(self) -> int:
        """Exit code of the process, which has ended."""
        self._pipe.close()
        pid, self._pid = self._pid, 0
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def _next(self) -> bytearray:
        return bytearray(self._pipe.recv_bytes())

    def _from_room(self, sizes: list[int]) -> list[bytearray]:
        room, stop, pieces = memoryview(self._room), 0, []
        for size in sizes:
            start, stop = stop, stop + size
            pieces.append(bytearray(room[start:stop]))
        return pieces

    def _serve(self, pipe: Connection) -> None:
        """Answer until the other end is gone."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the other end decides
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        while True:
            try:
                item = pipe.recv()
            except EOFError:
                os._exit(0)
            signal.setitimer(signal.ITIMER_REAL, self.timeout)
            try:
                answer = (True, self.function(item))
            except Exception as error:
                answer = (False, (_portable(error), traceback.format_exc()))
            signal.setitimer(signal.ITIMER_REAL, 0)
            self._send(pipe, answer)

    def _send(self, pipe: Connection, answer: tuple[bool, object]) -> None:
        head, pieces = _pack(answer)
        sizes = [piece.nbytes for piece in pieces]
        is_in_room = sum(sizes) <= len(self._room)
        if is_in_room:
            self._room.seek(0)
            for piece in pieces:
                self._room.write(piece)
        pipe.send((head, sizes, is_in_room))
        if not is_in_room:
            for piece in pieces:
                pipe.send_bytes(piece)


class _Pickler(pickle.Pickler):
    """Leaves out the memory of tensors, as pickle does of arrays."""

    def reducer_override(self, value: object) -> object:
        if type(value) is Tensor and value.dtype != torch.bfloat16:
            return torch.from_numpy, (value.contiguous().numpy(),)
        return NotImplemented


def _pack(value: object) -> tuple[bytes, list[memoryview]]:
    """The value without its arrays, and their memory."""
    head, pieces = io.BytesIO(), []
    _Pickler(head, 5, buffer_callback=pieces.append).dump(value)
    return head.getvalue(), [piece.raw() for piece in pieces]


def _portable(error: Exception) -> Exception:
    """The error, or what it says where it cannot be sent."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # its class may raise anything when it is built anew
        return RuntimeError(f'{type(error).__name__}: {error}')
    return error
