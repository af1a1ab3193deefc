"""A training step in which the host waits for nothing that the device has still to do."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from mmengine.dist import all_gather
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from mart_mm.errors import NonFiniteElsewhereError, NonFiniteLossError
from mart_mm.models.layers.transformer import Block


class LossReport:
    """The values of losses on their way to the host.

    They are copied in one piece, right behind the forward pass on the device's own queue.

    Args:
        log_vars: Scalars by name, as mmengine's ``parse_losses`` returns them, with ``'loss'``, of
            which each process also gets those of the others.
    """

    def __init__(self, log_vars: dict[str, Tensor]) -> None:
        self._names, self._arrived = list(log_vars), None
        values = torch.stack([value.detach().float() for value in log_vars.values()])
        totals = all_gather(log_vars['loss'].detach().float().reshape(1))
        values = torch.cat([values, *totals])
        if values.is_cuda:
            self._values = torch.empty(values.shape, pin_memory=True)
            self._values.copy_(values, non_blocking=True)
            self._arrived = torch.cuda.Event()
            self._arrived.record()
        else:
            self._values = values

    def read(self) -> tuple[dict[str, Tensor], list[float]]:
        """Scalars on the host by name, and the sum of losses of each process.

        It waits for the forward pass, not for what was queued since.
        """
        if self._arrived is not None:
            self._arrived.synchronize()
        own, totals = self._values.split([len(self._names), len(self._values) - len(self._names)])
        return dict(zip(self._names, own.unbind(), strict=True)), totals.tolist()


def check_finite(values: dict[str, Tensor], totals: Sequence[float]) -> None:
    """Refuse to go on with a loss that is not finite, in all processes alike.

    Args:
        values: Losses of this process by name on the host, with their sum ``'loss'``.
        totals: That sum of each process.

    Raises:
        NonFiniteLossError: Naming every loss and its value.
        NonFiniteElsewhereError: Naming the process, when it is not this one.
    """
    remedy = 'Lower the learning rate, set optim_wrapper.clip_grad, or train without --amp'
    if not math.isfinite(float(values['loss'])):
        listed = ', '.join(f'{name}={float(value):.6g}' for name, value in values.items())
        raise NonFiniteLossError(f'the loss is not finite: {listed}. {remedy}')
    elsewhere = [
        f'{rank} ({loss:g})' for rank, loss in enumerate(totals) if not math.isfinite(loss)
    ]
    if elsewhere:
        raise NonFiniteElsewhereError(
            f'the loss of rank {", ".join(elsewhere)} is not finite. {remedy}'
        )


def take_step(
    total: Tensor, log_vars: dict[str, Tensor], optim_wrapper: OptimWrapper
) -> dict[str, Tensor]:
    """Backward pass, check, optimiser's step.

    What ``OptimWrapper.update_params`` does, with the check between its two halves: the losses are
    read when the backward pass has been queued, so the device is busy while the host waits for them.

    Args:
        total: Loss to minimise.
        log_vars: Losses by name, with their sum ``'loss'``.
        optim_wrapper: Its optimiser's wrapper; accumulation and gradient scaling are its own.

    Returns:
        Losses by name, scalars on the host: logging them waits for nothing.

    Raises:
        NonFiniteLossError: In all processes, when the loss of one is not finite; the weights are as
            they were.
    """
    report = LossReport(log_vars)
    optim_wrapper.backward(optim_wrapper.scale_loss(total))
    values, totals = report.read()
    check_finite(values, totals)
    if optim_wrapper.should_update():
        optim_wrapper.step()
        optim_wrapper.zero_grad()
    return values


def compile_blocks(model: nn.Module, **options: object) -> None:
    """Compile every transformer block of a model, each on its own.

    Blocks of one kind share their compiled form. The number of tokens, which follows the mask ratio,
    is left open in it (``run_block`` marks it), so a growing ratio compiles nothing again; the rest of
    the step, which looks at words and samples, stays as it is.

    Args:
        model: Whose blocks are compiled in place.
        options: Of ``torch.compile``, e.g. ``backend`` or ``mode``.
    """
    for module in model.modules():
        if isinstance(module, Block):
            module.compile(**options)
