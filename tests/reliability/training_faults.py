"""Faults at given places of a training process; read by the process itself, before it trains."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from functools import wraps

from mmengine.optim import OptimWrapper
from mmengine.runner import Runner

from mart_mm.engine.hooks.stage_switch import StageSwitchHook
from mart_mm.engine.loops import ResumableTrainLoop
from mart_mm.models.recognizers.affective import AffectiveRecognizer


class InjectedError(RuntimeError):
    """What an exception in the user's code looks like."""


#: function that is passed, and whether the fault comes before it, after it or while it runs
PLACES = {
    'loading': (ResumableTrainLoop, 'run_iter', 'before'),
    'forward': (AffectiveRecognizer, 'loss', 'after'),
    'backward': (OptimWrapper, 'backward', 'within'),
    'optimiser': (OptimWrapper, 'step', 'within'),
    'checkpoint': (Runner, 'save_checkpoint', 'within'),
    'pointer': (Runner, 'save_checkpoint', 'after'),
    'epoch_end': (StageSwitchHook, 'after_train_epoch', 'after'),
    'stage_switch': (StageSwitchHook, 'before_train_epoch', 'after'),
    'validation': (AffectiveRecognizer, 'val_step', 'after'),
}


class Fault:
    """One fault, when the place is first passed after so many steps of the run.

    Args:
        place: Of ``PLACES``.
        step: Steps that the run has done, at least.
        how: ``'SIGKILL'``, ``'SIGTERM'`` or ``'exception'``.
        rank: The process that it hits; None for each.
        delay: Seconds from the start of the function, for a fault within.
    """

    def __init__(self, place: str, step: int, how: str, rank: int | None, delay: float) -> None:
        self.step, self.how, self.delay = step, how, delay
        self.is_due = rank in (None, int(os.environ.get('RANK', 0)))
        self.loop: ResumableTrainLoop | None = None
        self._wrap(ResumableTrainLoop, 'run', self._note_loop)
        owner, name, when = PLACES[place]
        self._wrap(owner, name, getattr(self, f'_{when}'))

    @staticmethod
    def _wrap(owner: type, name: str, around: Callable) -> None:
        function = getattr(owner, name)
        setattr(owner, name, wraps(function)(lambda *a, **k: around(function, *a, **k)))

    def _note_loop(self, function: Callable, loop: ResumableTrainLoop) -> object:
        self.loop = loop
        return function(loop)

    def _before(self, function: Callable, *args: object, **kwargs: object) -> object:
        self._strike()
        return function(*args, **kwargs)

    def _after(self, function: Callable, *args: object, **kwargs: object) -> object:
        result = function(*args, **kwargs)
        self._strike()
        return result

    def _within(self, function: Callable, *args: object, **kwargs: object) -> object:
        if self.how == 'exception':
            return self._before(function, *args, **kwargs)
        if self._is_now():
            self.is_due = False
            threading.Timer(self.delay, self._send).start()
        return function(*args, **kwargs)

    def _is_now(self) -> bool:
        return self.is_due and self.loop is not None and self.loop.iter >= self.step

    def _strike(self) -> None:
        if not self._is_now():
            return
        self.is_due = False
        if self.how == 'exception':
            raise InjectedError('injected')
        self._send()

    def _send(self) -> None:
        if self.how == 'SIGTERM':  # as launchers do, to the workers too
            os.killpg(0, signal.SIGTERM)
        else:
            os.kill(os.getpid(), signal.SIGKILL)
