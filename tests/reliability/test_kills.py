"""A run that is killed at any moment and resumed is the run that was left alone, bit for bit."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from mart_mm.visualization.run_log import read_run
from tests.reliability.same_run import differences
from tests.reliability.training_kills import PLACES, SWITCH, Kill, Killer, Variant, draw
from tests.training_runs import BASE, ROOT, SCHEDULE

SEED = 20
#: how checkpoints are written, and where data comes from; all with EMA and evaluations
CONFIGS = {
    'steps': 'train_cfg = dict(val_begin=2)',
    'epochs': """
train_cfg = dict(val_begin=1)
default_hooks = dict(checkpoint=dict(by_epoch=True, max_keep_ckpts=2))
""",
    'accumulation': """
optim_wrapper = dict(accumulative_counts=2)
default_hooks = dict(checkpoint=dict(max_keep_ckpts=2))
""",
    'workers': """
default_hooks = dict(checkpoint=dict(interval=2))
train_dataloader = dict(num_workers=2, persistent_workers=True)
val_dataloader = dict(num_workers=1, persistent_workers=True)
cache = dict(folder='{cache}')
""",
}
METHODS = ('videomae', 'mocov3', 'tcl')
VERIFICATION = "    dict(type='VerificationWarmupHook', warmup=0.1),\n"  # of MART alone


@pytest.fixture(scope='module')
def killer(
    tiny_config: Path, planted: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Killer]:
    folder = tmp_path_factory.mktemp('kills')
    configs = {}
    for name, text in CONFIGS.items():
        configs[name] = folder / f'{name}.py'
        text = text.format(cache=folder / 'cache')
        configs[name].write_text(f'_base_ = [{str(tiny_config)!r}]\n{text}')
    for name in METHODS:
        configs[name] = folder / f'{name}.py'
        text = (BASE + SCHEDULE).format(root=ROOT, data=planted, base=f'{name}/{name}_mbt_planted')
        text = text.replace(VERIFICATION, '')
        configs[name].write_text(text)
    killer = Killer(configs, folder / 'runs')
    yield killer
    killer.close()


@pytest.fixture
def _minutes(request: pytest.FixtureRequest) -> None:
    if not request.config.getoption('--full'):
        pytest.skip('takes minutes: run with --full')


def plan(number: int, processes: int, series: int) -> list[tuple[Variant, list[str | None]]]:
    """Runs with the places of their kills, ``number`` kills in all; None is any moment."""
    runs: list[tuple[Variant, list[str | None]]] = []
    places, names = itertools.cycle(PLACES), list(CONFIGS)
    for _ in range(4 * series):  # so that the series begin at other places
        next(places)
    left = number
    while left:
        index = len(runs)
        kills = min(left, (1, 1, 2, 3)[index % 4])
        variant = Variant(names[(index + index // 4 + series) % 4], processes)
        where = [next(places) if (index + kill) % 2 else None for kill in range(kills)]
        runs.append((variant, where))
        left -= kills
    return runs


@pytest.mark.parametrize(
    ('series', 'processes', 'few', 'many'),
    [(0, 1, 1, 15), (1, 2, 1, 10), (2, 1, 0, 15), (3, 2, 0, 10)],
    ids=['one', 'two', 'one_more', 'two_more'],
)
def test_resumed_run_is_the_run_left_alone(
    killer: Killer,
    count: Callable[[int, int], int],
    tell: Callable[[str], None],
    series: int,
    processes: int,
    few: int,
    many: int,
) -> None:
    number, seed = count(few, many), SEED + series
    if not number:
        pytest.skip('more of the same: run with --full')
    rng = random.Random(seed)
    seen, wrong, runs = Counter(), [], plan(number, processes, series)
    for index, (variant, places) in enumerate(runs):
        work_dir = killer.folder / f'run-{series}-{index}'
        kills = []
        while places:
            kill = draw(rng, processes, places[0])
            codes = killer.attempt(variant, work_dir, kill)
            if not any(codes):  # the run was quicker than the signal
                runs.append((variant, places))
                break
            places = places[1:]
            kills.append(kill)
            note(kill, variant, work_dir, codes, seen)
        found = killer.differences(variant, work_dir)
        seen['exact'] += 0 if found else len(kills)
        if found:
            wrong.append(f'{variant}, {kills}: {found[:8]}')
        else:
            killer.forget(work_dir)
    tell(f'seed {seed}: {seen.pop("kills")} kills, {seen.pop("exact")} resumed exactly')
    for key in sorted(seen):
        tell(f'  {key}: {seen[key]}')
    assert not wrong, '\n'.join(wrong)


def note(kill: Kill, variant: Variant, work_dir: Path, codes: list[int], seen: Counter) -> None:
    """Count a kill."""
    steps = max((record.get('iter', 0) for record in read_run(work_dir)), default=0)
    stage = 'pretraining' if steps < SWITCH else 'finetuning'
    end = 'saved and exited with 143' if set(codes) == {143} else 'died'
    seen['kills'] += 1
    seen[f'by {kill.how}: {end}'] += 1
    seen[f'at {kill.place or "any moment"}'] += 1
    seen[f'in {stage}, {variant.processes} process(es)'] += 1
    seen[f'with {variant.config}'] += 1


def test_sigterm_saves_and_exits_with_143(killer: Killer, count: Callable[[int, int], int]) -> None:
    """Before the step of an accumulation of two that follows, also with workers that hear it too."""
    cases = (('accumulation', 6, 8), ('workers', 4, 5))
    for name, step, saved in cases[: count(1, 2)]:
        work_dir = killer.folder / f'stopped-{name}'
        codes = killer.attempt(Variant(name, 1), work_dir, Kill('SIGTERM', 'forward', 0.5, step))
        assert codes == [143]
        pointer = Path((work_dir / 'last_checkpoint').read_text())
        assert pointer == work_dir / 'interrupted.pth'
        assert torch.load(pointer, weights_only=True)['meta']['iter'] == saved
        assert f'SIGTERM: stopped after {saved} steps, saved in {pointer}' in killer.log(work_dir)


@pytest.mark.usefixtures('_minutes')
def test_real_command_is_resumed_exactly(killer: Killer, tell: Callable[[str], None]) -> None:
    """Both starts are commands, not forked from a process that has imported everything."""
    rng = random.Random(SEED + 1)
    variant, codes = Variant('epochs', 1), []
    for index in range(3):
        work_dir = killer.folder / f'command-{index}'
        codes.append(killer.command_killed(variant, work_dir, draw(rng, 1, None)))
        killer.command_finished(variant, work_dir)
        assert differences(killer.whole(variant)[0], work_dir) == []
    tell(f'seed {SEED + 1}: {len(codes)} commands, exit codes {codes}, resumed exactly')


@pytest.mark.usefixtures('_minutes')
@pytest.mark.parametrize('name', METHODS)
def test_other_methods_are_resumed_exactly(
    killer: Killer, name: str, tell: Callable[[str], None]
) -> None:
    """With what they hold beside weights: momentum copies, queues, masks."""
    kills = [Kill('SIGKILL', 'backward', 0.5, 4), Kill('SIGKILL', 'forward', 0.5, 8)]
    for index, kill in enumerate(kills):
        work_dir = killer.folder / f'{name}-killed-{index}'
        codes = killer.attempt(Variant(name, 1), work_dir, kill)
        assert codes == [-9], killer.log(work_dir)[-3000:]
        assert killer.differences(Variant(name, 1), work_dir) == []
    tell(f'{name}: {len(kills)} kills, as many resumed exactly')
