"""Processes of one run end together, within bounded time, and the cause is told once."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
import traceback
from types import TracebackType

import torch.distributed as torch_dist
from mmengine.dist import get_dist_info
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch.distributed.elastic.multiprocessing.errors import get_error_handler

from mart_mm.engine.hooks.graceful_stop import EXIT_CODE
from mart_mm.engine.process_board import Failure, Place, ProcessBoard
from mart_mm.errors import NonFiniteElsewhereError

#: part of the process group's time limit after which the watch speaks, before the group gives up
_SHARE = 0.9
#: seconds that a process is given to end by itself, when another one has failed
_GRACE = 10.0
#: longest wait in seconds between two looks at the others
_INTERVAL = 1.0
_EVALUATIONS = dict(val='validation', test='test')


def _is_consequence(error: BaseException) -> bool:
    """Whether an error says no more than that something is wrong with another process."""
    is_of_group = isinstance(error, torch_dist.DistError) or 'gloo/' in str(error)
    return is_of_group or isinstance(error, NonFiniteElsewhereError)


class ProcessWatch(Hook):
    """Ends all processes of a run when one of them cannot go on.

    Around a run, as a context: what a process raises within it is told to the others, which end, too.
    A process that is killed, stopped, unreachable or stuck keeps the others waiting in a collective;
    when one of them has waited for nine tenths of the process group's time limit, the run ends, and
    the log says for which process, and where each one was last. The first process writes the cause
    to the log, whichever one met it; every exit code is other than 0.

    A thread of each process writes its place to the store where the processes have met, and looks at
    those of the others, once a second or more often. Steps of training wait for nothing of it.

    Args:
        runner: Of this process; it has joined the process group.
        timeout: Seconds that the process group waits in a collective.

    Raises:
        SystemExit: Within the context, with code 1, in processes that end because of another one.
    """

    priority = 'VERY_HIGH'

    def __init__(self, runner: Runner, timeout: float) -> None:
        self._runner, self._timeout = runner, timeout
        self._limit = _SHARE * timeout
        self._interval = min(_INTERVAL, self._limit / 20)
        self._silence = 3 * self._interval + 1
        self._rank, world_size = get_dist_info()
        self._board = ProcessBoard(self._rank, world_size)
        self._place, self._moved_at = Place('starting'), time.monotonic()
        others = [rank for rank in range(world_size) if rank != self._rank]
        self._others = dict.fromkeys(others, Place('before its first step'))
        self._heard_at = dict.fromkeys(others, self._moved_at)
        self._beats = 0
        self._cause: Failure | None = None
        self._caught: BaseException | None = None
        self._wake, self._answered = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._watch, name='process-watch', daemon=True)

    def __enter__(self) -> ProcessWatch:
        """Start to watch."""
        self._runner.register_hook(self)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        """Tell the others how it ended."""
        is_agreed = isinstance(error, SystemExit) and error.code == EXIT_CODE  # all stop together
        if error is None or is_agreed:
            self._move('finished', is_last=True)
            self._wake.set()
            self._thread.join(_GRACE)
            return
        self._caught = error
        self._wake.set()
        if not self._answered.wait(2 * _GRACE):  # whoever keeps the store does not answer
            self._log(Failure(self._rank, self._explain(error)))
        elif self._cause.rank != self._rank:
            raise SystemExit(1) from None
        get_error_handler().record_exception(error)

    def _before_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None, mode: str = 'train'
    ) -> None:
        if mode == 'train':
            self._moved_at = time.monotonic()
            step = runner.iter + 1
            self._place = Place(f'in training step {step}{self._stage()}', step)
        else:
            self._move(f'in {_EVALUATIONS[mode]} batch {batch_idx + 1}')

    def _after_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: dict | list | None = None,
        mode: str = 'train',
    ) -> None:
        if mode == 'train':
            self._move(f'after training step {runner.iter + 1}{self._stage()}, hooks or next batch')
        else:
            self._move(f'after {_EVALUATIONS[mode]} batch {batch_idx + 1}')

    def _stage(self) -> str:
        model = self._runner.model
        stage = getattr(model.module if is_model_wrapper(model) else model, 'stage', None)
        return '' if stage is None else f' ({stage.name})'

    def _move(self, name: str, *, is_last: bool = False) -> None:
        self._moved_at = time.monotonic()
        moves = self._place.moves + 1
        self._place = Place(name, self._place.step, moves, is_last=is_last)

    def _watch(self) -> None:
        """The thread: write, look, and end what cannot go on."""
        while self._cause is None:
            self._wake.clear()
            caught, place = self._caught, self._place
            try:
                self._exchange(place)
                if place.is_last:
                    return
                self._cause = self._find_cause(caught)
                if self._cause is not None:
                    self._tell(self._cause)
            except torch_dist.DistError:  # the store is gone, and with it the process that kept it
                self._heard_at = dict.fromkeys(self._heard_at, float('-inf'))
                self._cause = self._propose(caught)
                if self._cause is not None:
                    self._log(self._cause)
            if self._cause is None:
                self._wake.wait(self._interval)
        self._wake.clear()
        self._answered.set()
        if self._caught is None:
            self._end(self._cause)

    def _exchange(self, place: Place) -> None:
        """Write the place of this process, read those of the others."""
        self._beats += 1
        self._board.write_place(place._replace(beats=self._beats))
        for rank, other in enumerate(self._board.read_places()):
            if rank != self._rank:
                if other.beats != self._others[rank].beats:
                    self._heard_at[rank] = time.monotonic()
                self._others[rank] = other

    def _find_cause(self, caught: BaseException | None) -> Failure | None:
        """Why the run ends, as all processes see it; None while it goes on."""
        if caught is not None and _is_consequence(caught):
            self._await_cause()
        known = self._board.read_failure()
        if known is not None:
            return known
        own = self._propose(caught)
        return own and self._board.announce(own)

    def _await_cause(self) -> None:
        """Give another process the time to say what has happened to it, or to be missed."""
        deadline = time.monotonic() + self._silence + self._interval
        while time.monotonic() < deadline and self._board.read_failure() is None:
            time.sleep(self._interval)
            self._exchange(self._place)

    def _propose(self, caught: BaseException | None) -> Failure | None:
        """Why the run ends, as this process alone sees it; None when it can go on."""
        if caught is not None:
            return Failure(self._rank, self._explain(caught))
        waited = time.monotonic() - self._moved_at
        late = self._late() if waited > self._limit else []
        if not late:
            return None
        return Failure(
            self._rank,
            f'rank {", ".join(map(str, late))} kept rank {self._rank} waiting for {waited:.0f} s; '
            f'env_cfg.dist_cfg.timeout={self._timeout:g} allows no more. {self._places()}',
        )

    def _late(self) -> list[int]:
        """Processes that are behind this one, or of which nothing was heard while it waited."""
        silent = self._silent(self._limit / 2)
        return [
            rank
            for rank, place in self._others.items()
            if rank in silent or place.is_behind(self._place)
        ]

    def _silent(self, seconds: float) -> list[int]:
        """Processes that have written nothing for longer, though they were not through."""
        before = time.monotonic() - seconds
        return [
            rank
            for rank, heard_at in self._heard_at.items()
            if heard_at < before and not self._others[rank].is_last
        ]

    def _explain(self, error: BaseException) -> str:
        text = f'rank {self._rank} {self._place.name}: {type(error).__name__}: {error}'
        return f'{text}. {self._places()}' if _is_consequence(error) else text

    def _places(self) -> str:
        """Where all processes are, and which of them do not answer."""
        silent = self._silent(self._silence)
        everyone = sorted((self._others | {self._rank: self._place}).items())
        listed = (
            f'rank {rank} {place.name}' + ' (silent)' * (rank in silent) for rank, place in everyone
        )
        remedy = ' A silent process was killed or stopped, or its machine cannot be reached.'
        return f'Last seen: {"; ".join(listed)}.' + remedy * bool(silent)

    def _tell(self, cause: Failure) -> None:
        """Have the cause written to the log once, by the first process while it answers.

        That one stays until the others know, as the store may leave with it.
        """
        if self._rank == 0:
            self._log(cause)
            self._board.note()
        self._wait_for_note(None if self._rank == 0 else 0)
        if self._rank != 0:
            if cause.rank == self._rank and not self._board.is_noted(0):
                self._log(cause)
            self._board.note()

    def _wait_for_note(self, rank: int | None) -> None:
        """Wait, not for long, until a process knows of the failure, or all of them do."""
        deadline = time.monotonic() + 2 * self._interval + 1
        while not self._board.is_noted(rank) and time.monotonic() < deadline:
            time.sleep(self._interval / 4)

    def _log(self, cause: Failure) -> None:
        self._runner.logger.error(f'the run ends: {cause.reason}')

    def _end(self, cause: Failure) -> None:
        """Leave from this thread: the main one waits for what will not come."""
        if cause.rank == self._rank:
            get_error_handler().record_exception(TimeoutError(cause.reason))
        elif self._wake.wait(_GRACE):  # it came to its own end
            return
        frame = sys._current_frames()[threading.main_thread().ident]
        stack = ''.join(traceback.format_stack(frame))
        self._runner.logger.error(f'rank {self._rank} {self._place.name} was at:\n{stack}')
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(1)
