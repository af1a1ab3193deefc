"""Training on several processes, with or without GPUs."""

from __future__ import annotations

import os
from datetime import timedelta

import torch
import torch.distributed as torch_dist
from mmengine.model import MMDistributedDataParallel, detect_anomalous_params
from mmengine.optim import OptimWrapper

from mart_mm.models.recognizers.step import take_step
from mart_mm.registry import MODEL_WRAPPERS


@MODEL_WRAPPERS.register_module()
class AffectiveDistributedDataParallel(MMDistributedDataParallel):
    """MMEngine's wrapper that also works on CPU.

    MMEngine hands ``device_ids`` to every model; torch refuses them without a GPU. Gradients are views of
    the buckets that are exchanged: they exist once, and nothing is copied.

    ``find_unused_parameters`` must be on where a stage leaves parameters of backbone or head without
    gradient (pretexts that read no label, streams with a mask token). Those of the pretext are not
    exchanged while finetuning, see :meth:`for_stage`. MART on MBT without mask tokens needs it in neither
    stage. ``static_graph=True`` is valid for backbones that mask absent modalities (MBT), not for those
    that skip them (TwoStreamBackbone).

    Args:
        module: The recogniser.
        device_ids: Its device; dropped on CPU.
        kwargs: Of MMEngine's wrapper and torch's.
    """

    def __init__(self, module: torch.nn.Module, device_ids: list | None = None, **kwargs) -> None:
        if not torch.cuda.is_available():
            device_ids = None
        kwargs.setdefault('gradient_as_bucket_view', True)
        self._arguments = dict(device_ids=device_ids, **kwargs)
        super().__init__(module=module, device_ids=device_ids, **kwargs)

    def for_stage(self, name: str) -> AffectiveDistributedDataParallel:
        """The wrapper that exchanges the gradients of a stage and no others.

        While finetuning the pretext takes no part; what it holds would be exchanged as zeros.

        Args:
            name: ``'pretrain'`` or ``'finetune'``.

        Returns:
            This one where nothing changes, otherwise a new one; then this one must not be used again.
        """
        left_out = set()
        if name == 'finetune':
            own = self.module.named_parameters()
            left_out = {key for key, _ in own if key.startswith('pretext.')}
        if left_out == self.parameters_to_ignore:
            return self
        self._remove_autograd_hooks()
        self._set_params_and_buffers_to_ignore_for_model(self.module, left_out)
        return type(self)(self.module, **self._arguments | dict(init_sync=False))

    def train_step(self, data: dict, optim_wrapper: OptimWrapper) -> dict[str, torch.Tensor]:
        """As :meth:`mart_mm.models.recognizers.affective.AffectiveRecognizer.train_step`."""
        with optim_wrapper.optim_context(self):
            losses = self(**self.module.data_preprocessor(data, True), mode='loss')
        total, log_vars = self.module.parse_losses(losses)
        values = take_step(total, log_vars, optim_wrapper)
        if self.detect_anomalous_params:
            detect_anomalous_params(total, model=self)
        return values


def init_cpu_processes(launcher: str, timeout: float = 1800.0) -> None:
    """Join the process group with gloo where there is no GPU.

    MMEngine would select a CUDA device for every launcher. With a GPU, or launcher ``'none'``,
    nothing happens and MMEngine's own way is taken.

    Args:
        launcher: ``'none'``, ``'pytorch'``, ``'slurm'`` or ``'mpi'``.
        timeout: Seconds that a process waits for the others in a collective.

    Raises:
        ValueError: For another launcher than ``'pytorch'`` on a machine without a GPU.
    """
    if launcher == 'none' or torch.cuda.is_available() or torch_dist.is_initialized():
        return
    if launcher != 'pytorch':
        raise ValueError(
            f"launcher={launcher!r} needs GPUs here: on CPU start with tools/dist_train.sh ('pytorch')"
        )
    torch_dist.init_process_group('gloo', timeout=timedelta(seconds=timeout))
    torch.set_num_threads(
        max(1, (os.cpu_count() or 1) // int(os.environ.get('LOCAL_WORLD_SIZE', 1)))
    )
