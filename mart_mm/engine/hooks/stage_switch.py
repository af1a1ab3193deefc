"""Pretrain, then finetune, in one run."""

from __future__ import annotations

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import EpochBasedTrainLoop, Runner

from mart_mm.engine.distributed import AffectiveDistributedDataParallel
from mart_mm.engine.loops import starts_epoch
from mart_mm.models.recognizers.affective import AffectiveRecognizer, TrainingStage
from mart_mm.registry import HOOKS


def recognizer_of(runner: Runner) -> AffectiveRecognizer:
    """The runner's recogniser, without the wrapper of distributed training."""
    model = runner.model
    return model.module if is_model_wrapper(model) else model


#: what only pretraining logs beside losses
_PRETRAIN_SCALARS = ('train/mask_progress', 'train/verify_level', 'train/remembered')


def _forget_losses(runner: Runner) -> None:
    """What the log averages over must not reach back into another stage."""
    history = runner.message_hub.log_scalars
    for key in list(history):
        if 'loss' in key or key in _PRETRAIN_SCALARS:
            del history[key]


@HOOKS.register_module()
class StageSwitchHook(Hook):
    """Writes the stage and the place in it to the recogniser, before every epoch.

    The first ``pretrain_epochs`` epochs minimise the pretext's losses, the rest the classification
    loss; the data set is told too. The stage follows from the epoch alone, so it is right after any
    resume. Where the stages meet, the model is saved, for runs that only finetune.

    Args:
        pretrain_epochs: Epochs of the first stage; 0 to finetune only.
        filename: Name of the checkpoint at the end of pretraining, in the work directory.
    """

    priority = 'VERY_HIGH'

    def __init__(self, *, pretrain_epochs: int, filename: str = 'pretrained.pth') -> None:
        self.pretrain_epochs, self.filename = pretrain_epochs, filename

    def before_train(self, runner: Runner) -> None:
        """Refuse what cannot be staged.

        Raises:
            TypeError: When training does not count epochs.
            ValueError: When there are fewer epochs than ``pretrain_epochs``, or a pretext is missing.
        """
        if not isinstance(runner.train_loop, EpochBasedTrainLoop):
            raise TypeError('StageSwitchHook needs an epoch-based train_cfg (by_epoch=True)')
        if not 0 <= self.pretrain_epochs <= runner.max_epochs:
            raise ValueError(
                f'pretrain_epochs={self.pretrain_epochs} of max_epochs={runner.max_epochs}: '
                'give a number between 0 and max_epochs'
            )
        if self.pretrain_epochs and recognizer_of(runner).pretext is None:
            raise ValueError(
                'StageSwitchHook.pretrain_epochs > 0 but the model has no pretext: '
                'set pretrain_epochs=0 or give model.pretext'
            )

    def stage_at(self, epoch: int, max_epochs: int) -> TrainingStage:
        """The stage of an epoch counted from 0."""
        if epoch < self.pretrain_epochs:
            return TrainingStage('pretrain', epoch + 1, self.pretrain_epochs)
        first = self.pretrain_epochs
        return TrainingStage('finetune', epoch - first + 1, max_epochs - first)

    def before_train_epoch(self, runner: Runner) -> None:
        """Write the stage."""
        recognizer = recognizer_of(runner)
        stage = self.stage_at(runner.epoch, runner.max_epochs)
        if stage.name != recognizer.stage.name or stage.epoch == 1:
            runner.logger.info(f'stage: {stage.name}, {stage.num_epochs} epochs')
        if stage.epoch == 1 and starts_epoch(runner):
            _forget_losses(runner)
        recognizer.stage = stage
        if isinstance(runner.model, AffectiveDistributedDataParallel):
            runner.model = runner.model.for_stage(stage.name)
        dataset = runner.train_dataloader.dataset
        if hasattr(dataset, 'set_stage'):
            dataset.set_stage(stage.name)
        recognizer.data_preprocessor.encode_cues = stage.name == 'pretrain'

    def after_train_epoch(self, runner: Runner) -> None:
        """Save the model where pretraining ends."""
        stage = recognizer_of(runner).stage
        if stage.name == 'pretrain' and stage.epoch == stage.num_epochs:
            runner.save_checkpoint(
                runner.work_dir, self.filename, save_optimizer=False, save_param_scheduler=False
            )
