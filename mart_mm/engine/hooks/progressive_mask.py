"""Let the mask ratio grow with training."""

from __future__ import annotations

from mmengine.hooks import Hook
from mmengine.runner import Runner

from mart_mm.engine.hooks.stage_switch import recognizer_of
from mart_mm.engine.loops import starts_epoch
from mart_mm.registry import HOOKS


@HOOKS.register_module()
class ProgressiveMaskHook(Hook):
    """Hands the proportion of the current epoch to the pretext, which hands it to its maskers.

    This is alpha of paper Eq. 7; how a ratio follows from it is the masker's own matter.
    """

    def before_train_epoch(self, runner: Runner) -> None:
        """Write the progress of the pretraining stage."""
        recognizer = recognizer_of(runner)
        if recognizer.stage.name == 'pretrain':
            recognizer.pretext.mask_progress = recognizer.stage.progress
            if starts_epoch(runner):  # otherwise the log has it already
                runner.message_hub.update_scalar('train/mask_progress', recognizer.stage.progress)
