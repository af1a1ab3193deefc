"""From a config and command-line choices to a finished run; what ``tools/`` calls."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from mmengine.config import Config, DictAction
from mmengine.logging import print_log
from mmengine.runner import Runner

from mart_mm.engine.distributed import init_cpu_processes
from mart_mm.errors import NonFiniteLossError, unknown_name

#: keys that MMEngine's runner or these tools read; any other one would be ignored in silence, except
#: pipelines and pretexts, which are named to be referred to
KNOWN_KEYS = frozenset(
    """model train_dataloader val_dataloader test_dataloader train_cfg val_cfg test_cfg auto_scale_lr
    optim_wrapper param_scheduler val_evaluator test_evaluator default_hooks custom_hooks
    data_preprocessor load_from resume launcher env_cfg log_processor log_level visualizer vis_backends
    default_scope randomness model_wrapper_cfg work_dir experiment_name custom_imports
    cache""".split()
)


def check_keys(cfg: Config) -> None:
    """Refuse top-level keys that nothing reads.

    Raises:
        KeyError: With the nearest known keys.
    """
    for key in cfg.keys():
        if key not in KNOWN_KEYS and not key.endswith(('_pipeline', '_pretext')):
            raise KeyError(f'{cfg.filename}: {unknown_name("config key", key, sorted(KNOWN_KEYS))}')


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments that training and testing share, named as in OpenMMLab."""
    parser.add_argument('config', help='config file')
    parser.add_argument('--work-dir', help='folder of logs and checkpoints')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        help='override config fields: train_cfg.max_epochs=2 model.head.pool=mean',
    )
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='job launcher',
    )
    parser.add_argument(
        '--local_rank', '--local-rank', type=int, default=0, help='set by launchers'
    )


def load_config(args: argparse.Namespace) -> Config:
    """Read the config, apply overrides, choose the work directory."""
    cfg = Config.fromfile(args.config)
    cfg.launcher = args.launcher
    if args.cfg_options:
        cfg.merge_from_dict(args.cfg_options)
    if args.work_dir:
        cfg.work_dir = args.work_dir
    elif not cfg.get('work_dir'):
        cfg.work_dir = str(Path('work_dirs') / Path(args.config).stem)
    check_keys(cfg)
    share_cache(cfg)
    pin_memory(cfg)
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


def build_runner(cfg: Config) -> Runner:
    """Join the processes and build the runner."""
    init_cpu_processes(cfg.launcher)
    return Runner.from_cfg(cfg)


def train(cfg: Config) -> Runner:
    """Train; a loss that is not finite stops the run before the step is taken.

    Checkpoints written before stay, and the weights that gave the loss are saved beside them.

    Args:
        cfg: As :func:`load_config` returns it.

    Raises:
        NonFiniteLossError: Naming the losses.
    """
    runner = build_runner(cfg)
    try:
        runner.train()
    except NonFiniteLossError:
        name = f'nonfinite_iter_{runner.iter}.pth'
        runner.save_checkpoint(runner.work_dir, name, by_epoch=False)
        runner.logger.error(
            f'the weights that gave it are in {runner.work_dir}/{name}; earlier checkpoints are kept'
        )
        raise
    return runner
