"""From a config and command-line choices to a finished run; what the command and ``tools/`` call."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.dist import barrier
from mmengine.logging import print_log
from mmengine.runner import Runner

from mart_mm.apis.shrink import shrink
from mart_mm.engine.distributed import init_cpu_processes
from mart_mm.engine.hooks.graceful_stop import own_sigterm
from mart_mm.engine.process_watch import ProcessWatch
from mart_mm.engine.runner import AffectiveRunner
from mart_mm.errors import NonFiniteLossError, unknown_name
from mart_mm.zoo.configs import resolve_config

#: keys that MMEngine's runner or these tools read; any other one would be ignored in silence, except
#: pipelines and pretexts, which are named to be referred to
KNOWN_KEYS = frozenset(
    """model train_dataloader val_dataloader test_dataloader train_cfg val_cfg test_cfg auto_scale_lr
    optim_wrapper param_scheduler val_evaluator test_evaluator default_hooks custom_hooks
    data_preprocessor load_from resume launcher env_cfg log_processor log_level visualizer vis_backends
    default_scope randomness model_wrapper_cfg work_dir experiment_name custom_imports
    cache""".split()
)
#: ends of top-level keys that are named to be referred to
NAMED_PARTS = ('_pipeline', '_pretext')


def check_keys(cfg: Config) -> None:
    """Refuse top-level keys that nothing reads.

    Raises:
        KeyError: With the nearest known keys.
    """
    for key in cfg.keys():
        if key not in KNOWN_KEYS and not key.endswith(NAMED_PARTS):
            raise KeyError(f'{cfg.filename}: {unknown_name("config key", key, sorted(KNOWN_KEYS))}')


def load_config(args: argparse.Namespace) -> Config:
    """Read the config, apply overrides, choose the work directory.

    Args:
        args: Of :func:`~mart_mm.utils.arguments.add_common_arguments`.

    Raises:
        UnknownConfigError: With the nearest names.
        KeyError: For a top-level key that nothing reads.
    """
    path = resolve_config(args.config)
    cfg = Config.fromfile(path)
    cfg.launcher = args.launcher
    if args.cfg_options:
        cfg.merge_from_dict(args.cfg_options)
    if args.work_dir:
        cfg.work_dir = args.work_dir
    elif not cfg.get('work_dir'):
        cfg.work_dir = str(Path('work_dirs') / path.stem)
    check_keys(cfg)
    share_cache(cfg)
    pin_memory(cfg)
    limit_waiting(cfg)
    return cfg


def share_cache(cfg: Config) -> None:
    """Give every data set the config's ``cache``; None turns it off for all of them."""
    cache = cfg.pop('cache', None)
    for split in ('train', 'val', 'test'):
        loader = cfg.get(f'{split}_dataloader')
        if loader and 'dataset' in loader:
            loader.dataset.setdefault('cache', cache)


def pin_memory(cfg: Config) -> None:
    """Let batches wait in pinned memory where there is a GPU, unless a loader says otherwise."""
    for split in ('train', 'val', 'test'):
        loader = cfg.get(f'{split}_dataloader')
        if loader:
            loader.setdefault('pin_memory', torch.cuda.is_available())


def limit_waiting(cfg: Config) -> None:
    """Say how long a process waits for the others, where the config does not: half an hour.

    Raises:
        ValueError: For a limit that is not a positive number.
    """
    cfg.setdefault('env_cfg', {}).setdefault('dist_cfg', {}).setdefault('timeout', 1800)
    timeout = cfg.env_cfg.dist_cfg.timeout
    if not isinstance(timeout, (int, float)) or not 0 < timeout < math.inf:
        raise ValueError(
            f'env_cfg.dist_cfg.timeout={timeout!r}: seconds that a process waits for the others, '
            'a number above 0'
        )


def use_amp(cfg: Config) -> None:
    """Switch to mixed precision; on CPU say that there is none."""
    if not torch.cuda.is_available():
        print_log('--amp: no GPU here, training in full precision', logger='current')
        return
    wrapper = cfg.optim_wrapper
    if wrapper.get('type', 'OptimWrapper') not in ('OptimWrapper', 'AmpOptimWrapper'):
        raise ValueError(f'--amp cannot be combined with optim_wrapper.type={wrapper.type!r}')
    wrapper.type = 'AmpOptimWrapper'
    wrapper.setdefault('dtype', 'bfloat16' if torch.cuda.is_bf16_supported() else 'float16')


def scale_lr(cfg: Config) -> None:
    """Scale the learning rate to the videos of one optimiser step.

    MMEngine compares ``base_batch_size`` with batch size times processes and knows nothing of
    accumulation, so the base is divided by the accumulation steps here.
    """
    cfg.auto_scale_lr.enable = True
    cfg.auto_scale_lr.base_batch_size /= cfg.optim_wrapper.get('accumulative_counts', 1)


def configure_training(args: argparse.Namespace) -> Config:
    """Config of a training run.

    Args:
        args: Of ``mart-mm train``.

    Raises:
        UnknownConfigError: With the nearest names.
        KeyError: For a top-level key that nothing reads.
    """
    cfg = load_config(args)
    if args.smoke:
        shrink(cfg)
        if not args.work_dir:
            cfg.work_dir += '_smoke'  # no --resume of the real run takes it up
    if args.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    if args.amp:
        use_amp(cfg)
    if args.resume:
        cfg.resume = True
        cfg.load_from = None if args.resume == 'auto' else args.resume
    if args.auto_scale_lr:
        scale_lr(cfg)
    return cfg


def configure_testing(args: argparse.Namespace) -> Config:
    """Config of an evaluation.

    Args:
        args: Of ``mart-mm test``.

    Raises:
        UnknownConfigError: With the nearest names.
        KeyError: For a top-level key that nothing reads.
    """
    cfg = load_config(args)
    cfg.load_from = args.checkpoint
    if args.dump:
        evaluator = cfg.test_evaluator
        (evaluator[0] if isinstance(evaluator, list) else evaluator).dump = args.dump
    return cfg


def build_runner(cfg: Config) -> Runner:
    """Join the processes and build the runner."""
    init_cpu_processes(cfg.launcher, cfg.env_cfg.dist_cfg.timeout)
    return AffectiveRunner.from_cfg(cfg)


@contextmanager
def running(cfg: Config) -> Iterator[Runner]:
    """A runner whose processes, where there are several, end together."""
    runner = build_runner(cfg)
    is_alone = runner.world_size == 1
    with nullcontext() if is_alone else ProcessWatch(runner, cfg.env_cfg.dist_cfg.timeout):
        yield runner


def train(cfg: Config) -> Runner:
    """Train; a loss that is not finite stops all processes before the step is taken.

    Checkpoints written before stay, and the weights that gave the loss are saved beside them.

    Args:
        cfg: As :func:`load_config` returns it.

    Raises:
        NonFiniteLossError: Naming the losses.
        CheckpointNotSavedError: When there is no room for a checkpoint; earlier ones are kept.
        NothingToResumeError: When there are checkpoints to resume from and none is whole.
        SystemExit: With code 1, where another process could not go on.
    """
    with running(cfg) as runner:
        try:
            with own_sigterm():
                runner.train()
        except NonFiniteLossError:
            name = f'nonfinite_iter_{runner.iter}.pth'
            runner.save_checkpoint(runner.work_dir, name, by_epoch=False)
            runner.logger.error(
                f'the weights that gave it are in {runner.work_dir}/{name}; '
                'earlier checkpoints are kept'
            )
            barrier()  # a launcher ends all processes with the first one
            raise
    return runner


def evaluate(cfg: Config) -> dict[str, float]:
    """Evaluate the weights of ``cfg.load_from`` on the test split.

    Args:
        cfg: As :func:`configure_testing` returns it.

    Returns:
        The metrics.
    """
    with running(cfg) as runner:
        return runner.test()
