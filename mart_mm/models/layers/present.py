"""Compute where a modality is present: what is absent reaches no batch statistics."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mart_mm.models.layers.modes import evaluating


def on_present(
    module: nn.Module,
    x: Tensor,
    is_present: Tensor,
    function: Callable[[Tensor], Tensor] | None = None,
) -> Tensor:
    """What a module makes of the rows that have a modality, and zeros for the others.

    Args:
        module: Maps (n, ...) to (n, ...), row by row but for batch norms.
        x: (n, ...).
        is_present: Bool (n,).
        function: What of the module to call; None calls it itself.

    Returns:
        (n, ...).
    """
    function = function or module
    if is_traced(module):
        return zero_absent(function(x), is_present)
    if bool(is_present.all()):
        return function(x)
    rows = is_present.nonzero()[:, 0]
    if len(rows):
        part = function(x[rows])
    else:  # one row tells the shape
        with evaluating(module), torch.no_grad():
            part = function(x[:1])[:0]
    return part.new_zeros(len(x), *part.shape[1:]).index_copy(0, rows, part)


def is_traced(module: nn.Module) -> bool:
    """Whether a module in evaluation mode is captured as a graph.

    A graph has no branches: what is absent is computed as well, which in this mode changes nothing for
    the rows that are present, and then replaced by :func:`zero_absent`.
    """
    return torch.compiler.is_compiling() and not module.training


def zero_absent(values: Tensor, is_present: Tensor) -> Tensor:
    """Values (n, ...) with zeros in the rows where ``is_present`` (n,) is False."""
    is_present = is_present.view(-1, *(1,) * (values.ndim - 1))
    return torch.where(is_present, values, torch.zeros_like(values))


def for_segments(values: Tensor, num_segments: int) -> Tensor:
    """The value of a video for each of its segments, (B,) to (BS,).

    What ``repeat_interleave`` gives; that one becomes another function in ONNX where the number of
    segments is free (onnxscript 0.7).
    """
    return values[:, None].expand(-1, num_segments).flatten()


class RowBatchNorm(nn.BatchNorm1d):
    """Batch norm of (..., D) over all leading axes.

    A single row has no variance: in training it is normalised by the running statistics, as in
    evaluation, and leaves them as they are.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalise each of the D features."""
        rows = x.reshape(-1, x.shape[-1])
        if self.training and len(rows) == 1:
            statistics = self.running_mean, self.running_var
            return F.batch_norm(rows, *statistics, self.weight, self.bias, eps=self.eps).view_as(x)
        return super().forward(rows).view_as(x)


def all_present(x: Tensor) -> Tensor:
    """Bool (B,), all True, for features (B, ...)."""
    return torch.ones(len(x), dtype=torch.bool, device=x.device)
