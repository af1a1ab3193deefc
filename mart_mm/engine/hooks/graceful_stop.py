"""Save and leave when asked to end: what Slurm sends before it preempts, and Kubernetes before it evicts."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
import torch.distributed as torch_dist
from mmengine.dist import get_world_size, is_main_process
from mmengine.hooks import EMAHook, Hook
from mmengine.runner import Runner

from mart_mm.registry import HOOKS
from mart_mm.utils.atomic import write_text
from mart_mm.weight_files.resuming import POINTER

FILE = 'interrupted.pth'
EXIT_CODE = 128 + signal.SIGTERM


class Agreement:
    """All processes learn in the same step that one of them has been asked to stop.

    The answer is that of the step before, so that nobody waits for it: it travels while the device works.
    """

    def __init__(self) -> None:
        self._group = torch_dist.new_group(backend='gloo') if get_world_size() > 1 else None
        self._pending: tuple[torch_dist.Work, torch.Tensor] | None = None

    def smallest(self, value: int) -> int:
        """The smallest of all processes' values."""
        if self._group is None:
            return value
        shared = torch.tensor(value)
        torch_dist.all_reduce(shared, torch_dist.ReduceOp.MIN, self._group)
        return int(shared)

    def exchange(self, is_asked: bool) -> bool:
        """Whether one of all had been asked at the last exchange; with one process, at this one."""
        if self._group is None:
            return is_asked
        answer = self._arrived()
        flag = torch.tensor(int(is_asked))
        work = torch_dist.all_reduce(flag, torch_dist.ReduceOp.MAX, self._group, async_op=True)
        self._pending = work, flag
        return answer

    def meet(self) -> None:
        """Wait for all."""
        if self._group is not None:
            self._arrived()
            torch_dist.barrier(self._group)

    def _arrived(self) -> bool:
        if self._pending is None:
            return False
        work, flag = self._pending
        work.wait()
        self._pending = None
        return bool(flag)


@HOOKS.register_module()
class GracefulStopHook(Hook):
    """On SIGTERM: end the optimiser step, save ``interrupted.pth``, exit with code 143 (128 + SIGTERM).

    ``--resume`` goes on from there, exactly. With several processes one that is asked is enough: they
    stop together, one step later. While the model is evaluated the run stops after the batch, and
    evaluates that epoch again when it is resumed. Between two batches there is at most one optimiser
    step of waiting; give it that long: ``KillWait`` of Slurm and ``terminationGracePeriodSeconds`` of
    Kubernetes are 30 s by default, and ``sbatch --signal=TERM@120`` asks earlier. ``torchrun`` tells
    its processes, and itself exits with 1. Further SIGTERMs change nothing.

    A run that was left in peace, or resumed and finished, leaves no ``interrupted.pth``.
    """

    priority = 'LOWEST'  # what is saved is what all other hooks have seen

    def __init__(self) -> None:
        self._agreement: Agreement | None = None
        self._is_asked = self._is_stopping = False
        self._num_batches = 0

    def before_train(self, runner: Runner) -> None:
        """Listen from now on; only a main thread can."""
        self._agreement = Agreement()
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, self._ask)

    def after_train(self, runner: Runner) -> None:
        """The run has come to its end."""
        if is_main_process():
            self._forget(Path(runner.work_dir), runner.message_hub.runtime_info.get('last_ckpt'))
        self._agreement = None

    @staticmethod
    def _forget(work_dir: Path, last: str | None) -> None:
        """Remove what a stop has saved, unless there is no other checkpoint to name."""
        pointer = work_dir / POINTER
        if pointer.exists() and Path(pointer.read_text()).name == FILE:
            if last is None:
                return
            write_text(pointer, last)  # stopped in the last evaluation, after the last checkpoint
        (work_dir / FILE).unlink(missing_ok=True)

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: dict | None = None,
    ) -> None:
        """Stop after an optimiser step: the gradients before it are in no checkpoint."""
        self._is_stopping |= self._agreement.exchange(self._is_asked)
        if self._is_stopping and runner.optim_wrapper.should_update():
            self._stop(runner, runner.iter + 1)

    def before_val_epoch(self, runner: Runner) -> None:
        """Learn how many batches each process evaluates."""
        if self._agreement is not None:
            self._num_batches = self._agreement.smallest(len(runner.val_dataloader))

    def after_val_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: list | None = None,
    ) -> None:
        """Stop after a batch."""
        if self._agreement is None or batch_idx >= self._num_batches:
            return
        if self._agreement.exchange(self._is_asked):
            for hook in runner.hooks:
                if isinstance(hook, EMAHook):  # evaluates the averages in place of the weights
                    hook.after_val_epoch(runner)
            self._stop(runner, runner.iter)

    def _ask(self, number: int, frame: object) -> None:
        self._is_asked = True

    def _stop(self, runner: Runner, done: int) -> None:
        """Save as after ``done`` steps, and leave.

        Raises:
            SystemExit: With code 143.
        """
        meta = dict(epoch=runner.epoch, iter=done)
        runner.save_checkpoint(runner.work_dir, FILE, meta=meta, by_epoch=False)
        if is_main_process():
            path = Path(runner.work_dir) / FILE
            write_text(path.with_name(POINTER), str(path))
            runner.logger.warning(
                f'SIGTERM: stopped after {done} steps, saved in {path}; the same command with '
                '--resume goes on from there'
            )
        self._agreement.meet()  # launchers end those that are left when the first one ends
        raise SystemExit(EXIT_CODE)


@contextmanager
def own_sigterm() -> Iterator[None]:
    """What SIGTERM does is afterwards what it was before."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
