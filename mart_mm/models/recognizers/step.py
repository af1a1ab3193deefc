"""A training step in which the host waits for nothing that the device has still to do."""

from __future__ import annotations

import math

import torch
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from mart_mm.errors import NonFiniteLossError
from mart_mm.models.layers.transformer import Block


class LossReport:
    """The values of losses on their way to the host.

    They are copied in one piece, right behind the forward pass on the device's own queue.

    Args:
        log_vars: Scalars by name, as mmengine's ``parse_losses`` returns them.
    """

    def __init__(self, log_vars: dict[str, Tensor]) -> None:
        self._names, self._arrived = list(log_vars), None
        values = torch.stack([value.detach().float() for value in log_vars.values()])
        if values.is_cuda:
            self._values = torch.empty(values.shape, pin_memory=True)
            self._values.copy_(values, non_blocking=True)
            self._arrived = torch.cuda.Event()
            self._arrived.record()
        else:
            self._values = values

    def read(self) -> dict[str, Tensor]:
        """Scalars on the host by name; waits for the forward pass, not for what was queued since."""
        if self._arrived is not None:
            self._arrived.synchronize()
        return dict(zip(self._names, self._values.unbind(), strict=True))


def check_finite(values: dict[str, Tensor]) -> None:
    """Refuse to go on with a loss that is not finite.

    Args:
        values: Losses by name on the host, with their sum ``'loss'``.

    Raises:
        NonFiniteLossError: Naming every loss and its value.
    """
    if not math.isfinite(float(values['loss'])):
        listed = ', '.join(f'{name}={float(value):.6g}' for name, value in values.items())
        raise NonFiniteLossError(
            f'the loss is not finite: {listed}. Lower the learning rate, set '
            'optim_wrapper.clip_grad, or train without --amp'
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
        NonFiniteLossError: When the loss is not finite; the weights are as they were.
    """
    report = LossReport(log_vars)
    optim_wrapper.backward(optim_wrapper.scale_loss(total))
    values = report.read()
    check_finite(values)
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
