"""Verify gently while the classifier is still guessing."""

from __future__ import annotations

import math

from mmengine.hooks import Hook
from mmengine.runner import Runner

from mart_mm.engine.hooks.stage_switch import recognizer_of
from mart_mm.engine.loops import starts_epoch
from mart_mm.registry import HOOKS


@HOOKS.register_module()
class VerificationWarmupHook(Hook):
    """Caps the verification level during the first epochs of pretraining.

    The video's side of the verification comes from the classifier. Before it has learned anything,
    the higher levels would drop nearly every word.

    Args:
        warmup: Share of the pretraining epochs, rounded up.
        level: Highest level during the warm-up.
    """

    def __init__(self, *, warmup: float = 0.1, level: int = 1) -> None:
        if not 0 <= warmup <= 1 or level not in range(4):
            raise ValueError(f'warmup={warmup}, level={level}: need 0 <= warmup <= 1, level 0 to 3')
        self.warmup, self.level = warmup, level

    def before_train_epoch(self, runner: Runner) -> None:
        """Write the level in force."""
        recognizer = recognizer_of(runner)
        if recognizer.stage.name != 'pretrain':
            return
        pretext, stage = recognizer.pretext, recognizer.stage
        is_warm = stage.epoch > math.ceil(self.warmup * stage.num_epochs)
        final = pretext.final_verify_level
        pretext.verify_level = final if is_warm else min(self.level, final)
        if starts_epoch(runner):  # otherwise the log has it already
            runner.message_hub.update_scalar('train/verify_level', pretext.verify_level)
