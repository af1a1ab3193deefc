"""What is wrong with one of several processes."""

from __future__ import annotations

import json
import math
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from sklearn.metrics import accuracy_score, f1_score

ROOT = Path(__file__).resolve().parents[2]
#: seconds after which a case counts as hung; generous, as machines are slow
DEADLINE = 120
#: seconds that processes wait for one that does not come
LIMIT = 8


class Ended(NamedTuple):
    """How the processes of a case ended."""

    codes: list[int | None]
    outputs: list[str]

    @property
    def causes(self) -> list[str]:
        """What the log says why the run ended, each time it does."""
        return re.findall(r'the run ends: (.*)', '\n'.join(self.outputs))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


@pytest.fixture(scope='module')
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Callable[[], Ended]]]:
    """``start(case, arguments)`` begins a case of ``process_cases.py``; what it returns waits for it."""
    server = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name('process_cases.py'))],
        cwd=ROOT,
        env=os.environ | {'OMP_NUM_THREADS': '1', 'PYTHONPATH': str(ROOT)},
        stdin=subprocess.PIPE,
        text=True,
    )

    def begin(
        case: str, arguments: object, processes: int = 2, awaited: tuple[int, ...] | None = None
    ) -> Callable[[], Ended]:
        folder = tmp_path_factory.mktemp('processes')
        outputs = [folder / f'{rank}.txt' for rank in range(processes)]
        answer = folder / 'answer.json'
        request = dict(
            case=case,
            arguments=arguments,
            port=free_port(),
            outputs=list(map(str, outputs)),
            awaited=awaited or list(range(processes)),
            seconds=DEADLINE,
            answer=str(answer),
        )
        print(json.dumps(request), file=server.stdin, flush=True)

        def wait() -> Ended:
            while not answer.exists():
                assert server.poll() is None, 'process_cases.py has ended'
                time.sleep(0.05)
            return Ended(json.loads(answer.read_text()), [file.read_text() for file in outputs])

        return wait

    yield begin
    server.stdin.close()
    server.wait(DEADLINE)


class Fault(NamedTuple):
    """What happens to a process in the third of four steps.

    Attributes:
        rank: Of that process.
        options: Of the run.
        cause: What the log must say, a regular expression.
        is_left: Whether only a launcher can end the process.
    """

    rank: int
    options: dict
    cause: str
    is_left: bool = False


def fault(kind: str, rank: int) -> Fault:
    hook = {'default_hooks.fault': dict(type='FaultHook', kind=kind, rank=rank, step=2)}
    limit = {'env_cfg.dist_cfg.timeout': LIMIT}
    step = f'rank {rank} in training step 3'
    late = rf'rank {rank} kept rank {1 - rank} waiting for \d+ s; env_cfg\.dist_cfg\.timeout={LIMIT} .*'
    late = rf'({late}|Timed out waiting.*Last seen: .*)'  # on a busy machine the group may be first
    if kind == 'reads_for_hours':
        slow = {'train_dataloader.dataset.slow': 4 + rank}
        return Fault(rank, slow | limit, rf'{late}rank {rank} after training step 1, hooks or next')
    if kind == 'is_stopped':
        return Fault(rank, hook | limit, rf'{late}rank {rank} [^;]+\(silent\)', is_left=True)
    if kind == 'is_killed':
        return Fault(rank, hook, rf'Last seen: .*rank {rank} [^;]+\(silent\)')
    errors = dict(
        raises=r"KeyError: 'planted'",
        gets_nan='NonFiniteLossError: the loss is not finite: loss=nan',
        runs_out_of_memory='MemoryError: planted',
        is_interrupted='KeyboardInterrupt',
    )
    return Fault(rank, hook, f'{step}: {errors[kind]}')


FEW = [(k, 1) for k in ('raises', 'gets_nan', 'is_killed', 'is_stopped', 'reads_for_hours')]
MANY = [*FEW, ('runs_out_of_memory', 1), ('is_interrupted', 1), *((kind, 0) for kind, _ in FEW)]


@pytest.fixture(scope='module')
def faults(
    start: Callable, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> dict[tuple[str, int], tuple[Path, Callable[[], Ended]]]:
    """Runs with a fault, begun side by side, since most of their time is waiting."""
    begun = {}
    for key in MANY if pytestconfig.getoption('--full') else FEW:
        folder, (rank, options, _, is_left) = tmp_path_factory.mktemp('fault'), fault(*key)
        awaited = (1 - rank,) if is_left else None
        options = options | dict(work_dir=str(folder))
        begun[key] = folder, start('line', options, awaited=awaited)
    return begun


@pytest.fixture(scope='module')
def undisturbed(start: Callable, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """Weights after a run without fault."""
    folder = tmp_path_factory.mktemp('undisturbed')
    ended = start('line', dict(work_dir=str(folder)))()
    assert ended.codes == [0, 0], ended.outputs
    assert not ended.causes
    return torch.load(folder / 'iter_4.pth', weights_only=True)['state_dict']


@pytest.mark.parametrize(('kind', 'rank'), MANY)
def test_one_process_fails_and_all_end(
    kind: str,
    rank: int,
    faults: dict,
    undisturbed: dict,
    start: Callable,
    tell: Callable,
) -> None:
    """The cause is named once; no exit code is 0; the run goes on from its last checkpoint."""
    if (kind, rank) not in faults:
        pytest.skip('with --full')
    folder, wait = faults[kind, rank]
    ended = wait()
    expected = fault(kind, rank)
    left = {rank} if expected.is_left else set()
    assert all(code not in (0, None) for r, code in enumerate(ended.codes) if r not in left), ended
    (cause,) = ended.causes
    assert re.search(expected.cause, cause), cause
    again = start('line', dict(work_dir=str(folder), resume=True))()
    assert again.codes == [0, 0], again.outputs
    weights = torch.load(folder / 'iter_4.pth', weights_only=True)['state_dict']
    for name, value in undisturbed.items():
        torch.testing.assert_close(weights[name], value, rtol=0, atol=0)
    tell(f'exit codes {ended.codes}; {cause[:160]}')


PARTS = ('no cue', 'no sound', 'no word at any level', 'one class')
FEW_BATCHES = [
    ('mart', 'pretrain', 'no cue'),
    ('mart', 'finetune', 'no sound'),
    ('moco', 'pretrain', 'no sound'),
    ('tcl', 'pretrain', 'no cue'),
]
MANY_BATCHES = [
    *(('mart', stage, what) for stage in ('pretrain', 'finetune') for what in PARTS),
    *((name, 'pretrain', what) for name in ('moco', 'tcl') for what in PARTS),
]


@pytest.mark.parametrize(
    'options',
    [
        dict(find_unused_parameters=True),
        dict(find_unused_parameters=False),
        dict(static_graph=True),
    ],
    ids=str,
)
def test_gradients_with_something_missing_on_one_process(
    options: dict, start: Callable, tmp_path: Path, count: Callable, tell: Callable
) -> None:
    """Those of MART are those of the global batch; the others contrast within a process, too."""
    batches = count(FEW_BATCHES, MANY_BATCHES)
    if options != dict(find_unused_parameters=True):
        if batches is FEW_BATCHES:
            pytest.skip('with --full')
        batches = [
            batch for batch in batches if batch[0] == 'mart'
        ]  # the others leave the head out
    arguments = dict(batches=batches, options=options, folder=str(tmp_path))
    both = start('gradients', arguments)
    alone = start('gradients', arguments, processes=1)
    for ended in (both(), alone()):
        assert set(ended.codes) == {0}, ended.outputs
    one, first, second = (
        torch.load(tmp_path / f'{name}.pth', weights_only=True)
        for name in ('0_of_1', '0_of_2', '1_of_2')
    )
    for key in map('/'.join, batches):
        for found in (first, second):
            assert all(math.isfinite(loss) for loss in found[key]['losses'].values()), key
        ours, theirs, expected = (found[key]['gradients'] for found in (first, second, one))
        assert any(float(gradient.abs().max()) > 0 for gradient in ours.values()), key
        for name, gradient in ours.items():
            where = f'{key}: {name}'
            torch.testing.assert_close(gradient, theirs[name], rtol=0, atol=0, msg=where)
            if key.startswith('mart'):
                scale = expected[name].abs().max().clamp(min=1e-12)
                apart = float((gradient - expected[name]).abs().max() / scale)
                assert apart < 2e-5, (where, apart)
    tell(f'{len(batches)} batches')


def scores_of(folder: Path) -> dict:
    return json.loads((folder / 'scores.json').read_text())


@pytest.mark.parametrize(('videos', 'broken'), [(5, [1]), (1, []), (3, [1, 2])])
def test_metrics_count_each_video_once(
    videos: int, broken: list[int], start: Callable, tmp_path: Path
) -> None:
    """Uneven shares, fewer videos than processes, one process of which all videos are broken."""
    waits = []
    for processes in (1, 2):
        folder = tmp_path / str(processes)
        arguments = dict(folder=str(folder), test=videos, broken=broken, share=0.8)
        waits.append(start('test_clips', arguments, processes=processes))
    for wait in waits:
        ended = wait()
        assert set(ended.codes) == {0}, ended.outputs
    one, two = (scores_of(tmp_path / str(processes)) for processes in (1, 2))
    records = {record['video_id']: record for record in two['videos']}
    assert sorted(records) == [f'v{index}' for index in range(videos)]
    assert len(two['videos']) == videos
    assert {name for name, r in records.items() if 'failed' in r} == {f'v{i}' for i in broken}
    good = [record for record in two['videos'] if 'failed' not in record]
    labels = [record['label'] for record in good]
    guesses = [max(range(6), key=record['scores'].__getitem__) for record in good]
    assert two['scores']['emotion_acc'] == pytest.approx(100 * accuracy_score(labels, guesses))
    weighted = f1_score(labels, guesses, average='weighted', zero_division=0)
    assert two['scores']['emotion_f1'] == pytest.approx(100 * weighted)
    assert two['scores']['confusion'] == one['scores']['confusion']
    for record in one['videos']:
        if 'scores' in record:
            assert records[record['video_id']]['scores'] == pytest.approx(
                record['scores'], abs=1e-5
            )


def test_broken_videos_of_one_process(start: Callable, tmp_path: Path, tell: Callable) -> None:
    """Other videos take their place; at the end of the epoch both processes stop with one error."""
    broken = [1, 3, 5]  # those that the second process reads
    arguments = dict(folder=str(tmp_path), test=2, broken=broken, share=0.3)
    ended = start('train_clips', arguments)()
    assert all(code == 1 for code in ended.codes), ended
    (cause,) = ended.causes
    assert re.search(r'TooManyFailuresError: 3 of 7 videos could not be read', cause), cause
    (report,) = tmp_path.glob('*/failures.json')
    assert json.loads(report.read_text()) == {f'v{i}.mp4': 'planted' for i in broken}
    tell(cause)


@pytest.mark.parametrize('kind', ['raises', 'is_killed', 'is_stopped'])
def test_dist_train_script_ends_all(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path, tell: Callable
) -> None:
    """The launcher names the process, ends the other one and says so by its exit code."""
    if not request.config.getoption('--full'):
        pytest.skip('with --full')
    tiny_config = request.getfixturevalue('tiny_config')  # its videos take long to draw
    hook = f"dict(type='FaultHook', kind='{kind}', rank=1, step=2)"
    config = tmp_path / 'fault.py'
    config.write_text(
        f"_base_ = ['{tiny_config}']\n"
        "custom_imports = dict(imports=['process_cases'])\n"
        f'default_hooks = dict(fault={hook})\n'
        f'env_cfg = dict(dist_cfg=dict(timeout={60 if kind != "is_stopped" else LIMIT}))\n'
    )
    folder = tmp_path / 'work'
    command = ['bash', 'tools/dist_train.sh', str(config), '2', '--work-dir', str(folder)]
    path = os.pathsep.join([str(ROOT), str(Path(__file__).parent)])
    environment = dict(OMP_NUM_THREADS='1', PYTHON=sys.executable, PYTHONPATH=path)
    done = subprocess.run(
        [*command, '--no-validate'],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=3 * DEADLINE,
    )
    assert done.returncode == 1, done.stdout[-3000:] + done.stderr[-3000:]
    expected = dict(
        raises="rank 1 in training step 3 (pretrain): KeyError: 'planted'",
        is_killed='Signal 9 (SIGKILL) received by PID',
        is_stopped='(silent)',
    )
    assert expected[kind] in done.stdout + done.stderr, done.stderr[-3000:]
    left = [
        file for file in Path('/proc').glob('[0-9]*/cmdline') if str(folder) in read_quietly(file)
    ]
    assert not left
    checkpoint = torch.load(folder / 'iter_2.pth', weights_only=True)
    assert checkpoint['meta']['iter'] == 2
    tell(f'exit code {done.returncode}')


def read_quietly(file: Path) -> str:
    """A file of a process, which may have ended."""
    try:
        return file.read_text()
    except OSError:
        return ''
