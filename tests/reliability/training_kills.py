"""Kills training runs at random moments, resumes them, and compares them with runs left alone."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.reliability.same_run import differences
from tests.training_runs import ROOT, Runs

DEADLINE = 600.0  # seconds, against hangs only
GRACE = 60.0  # for the processes left behind by one that died; Kubernetes gives 30
STEPS, SWITCH = 12, 6
HOWS = ('SIGKILL', 'SIGTERM', 'exception')
#: place -> steps after which it may be hit
PLACES = {
    'loading': (0, STEPS - 1),
    'forward': (0, STEPS - 1),
    'backward': (0, STEPS - 1),
    'optimiser': (0, STEPS - 2),
    'checkpoint': (0, STEPS - 1),
    'pointer': (0, STEPS - 1),
    'epoch_end': (0, STEPS - 1),
    'stage_switch': (SWITCH, SWITCH),
    'validation': (0, STEPS - 1),
}


@dataclass(frozen=True)
class Variant:
    """What is trained.

    Attributes:
        config: Name among the configs.
        processes: One or two.
    """

    config: str
    processes: int


@dataclass(frozen=True)
class Kill:
    """What ends an attempt.

    Attributes:
        how: ``'SIGKILL'``, ``'SIGTERM'`` or ``'exception'``.
        place: Of the process itself; None for a signal from outside.
        moment: Of a signal from outside, share of the length of a whole run; within a place, share of
            a tenth of a second.
        step: Steps of the run before the place is hit.
        rank: The process hit; None for all.
    """

    how: str
    place: str | None
    moment: float
    step: int = 0
    rank: int | None = None


def draw(rng: random.Random, processes: int, place: str | None) -> Kill:
    """A kill at a place, or at any moment.

    Args:
        rng: Source of randomness.
        processes: Of the run.
        place: Of ``PLACES``; None for any moment.
    """
    how = rng.choice(HOWS if place else HOWS[:2])
    rank = rng.choice([None, *range(processes)]) if processes > 1 else None
    if how == 'SIGTERM':
        rank = None  # launchers tell every process
    if place in ('checkpoint', 'pointer', 'epoch_end') and rank == 1:
        rank = 0
    step = rng.randint(*PLACES[place]) if place else 0
    return Kill(how, place, rng.random(), step, rank)


class Server:
    """The process that forks training processes."""

    def __init__(self) -> None:
        script = Path(__file__).with_name('training_server.py')
        environment = os.environ | dict(
            OMP_NUM_THREADS='1', PYTHONPATH=os.pathsep.join([str(ROOT), str(ROOT / 'runtime')])
        )
        self._process = subprocess.Popen(
            [sys.executable, str(script)],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._answer() == 'ready'

    def _answer(self) -> object:
        return json.loads(self._process.stdout.readline())

    def _ask(self, request: dict) -> object:
        print(json.dumps(request), file=self._process.stdin, flush=True)
        return self._answer()

    def start(
        self, arguments: list[str], log: Path, environment: dict, fault: dict | None = None
    ) -> int:
        """Process id of a new training process."""
        return self._ask(
            dict(arguments=arguments, log=str(log), environment=environment, fault=fault)
        )

    def poll(self, pid: int) -> int | None:
        """Its exit code; None while it runs; -9 when SIGKILL ended it."""
        return self._ask(dict(poll=pid))

    def close(self) -> None:
        """End it."""
        self._process.stdin.close()
        self._process.wait(DEADLINE)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


class Attempt:
    """The processes of a run, from a start to their end."""

    def __init__(
        self,
        server: Server,
        variant: Variant,
        config: Path,
        work_dir: Path,
        kill: Kill | None = None,
        options: tuple[str, ...] = (),
    ) -> None:
        self.server, self.log = server, work_dir / 'log'
        work_dir.mkdir(parents=True, exist_ok=True)
        arguments = [str(config), '--work-dir', str(work_dir), *options]
        common = {}
        time.sleep(1.1)  # log folders are named by the second
        if variant.processes > 1:
            arguments += ['--launcher', 'pytorch']
            arguments += ['--cfg-options', 'train_dataloader.batch_size=2']
            common = dict(MASTER_ADDR='127.0.0.1', MASTER_PORT=str(free_port()))
        fault = None
        if kill and kill.place:
            fault = asdict(kill) | dict(delay=kill.moment / 10)
            del fault['moment']
        self.began = time.monotonic()
        self.codes: dict[int, int | None] = {}
        for rank in range(variant.processes):
            environment = common | dict(
                RANK=str(rank),
                LOCAL_RANK=str(rank),
                WORLD_SIZE=str(variant.processes),
                LOCAL_WORLD_SIZE=str(variant.processes),
            )
            pid = server.start(arguments, self.log, environment if common else {}, fault)
            self.codes[pid] = None

    def wait(self, until: float = float('inf')) -> bool:
        """Whether all have ended before so many seconds of the run are over.

        As launchers do: when one dies, the others are asked to end, and killed if they do not.
        """
        died = None
        while True:
            for pid, code in self.codes.items():
                if code is None:
                    self.codes[pid] = self.server.poll(pid)
            if None not in self.codes.values():
                return True
            now = time.monotonic() - self.began
            if died is None and any(self.codes.values()):
                died = now
                self.send(signal.SIGTERM)
            if died is not None and now > died + GRACE:
                self.send(signal.SIGKILL)
            if now > until:
                return False
            assert now < DEADLINE, self.log.read_text()[-3000:]
            time.sleep(0.02)

    def send(self, number: int, rank: int | None = None) -> None:
        """A signal to processes and what they started."""
        for index, (pid, code) in enumerate(self.codes.items()):
            if code is None and rank in (None, index):
                try:
                    os.killpg(pid, number)
                except ProcessLookupError:  # it has just ended, or not yet begun
                    os.kill(pid, number)

    @property
    def seconds(self) -> float:
        """How long it has lasted."""
        return time.monotonic() - self.began


class Killer:
    """Runs each variant once to its end, and others with kills.

    Args:
        configs: Config files by name.
        folder: For work directories.
    """

    def __init__(self, configs: dict[str, Path], folder: Path) -> None:
        self.configs, self.folder = configs, folder
        self.server = Server()
        self._whole: dict[Variant, tuple[Path, float]] = {}

    def whole(self, variant: Variant) -> tuple[Path, float]:
        """Work directory of the run left alone, and its seconds."""
        if variant not in self._whole:
            work_dir = self.folder / f'{variant.config}-{variant.processes}'
            attempt = Attempt(self.server, variant, self.configs[variant.config], work_dir)
            attempt.wait()
            assert not any(attempt.codes.values()), attempt.log.read_text()[-3000:]
            self._whole[variant] = work_dir, attempt.seconds
        return self._whole[variant]

    def attempt(self, variant: Variant, work_dir: Path, kill: Kill) -> list[int]:
        """One attempt that a kill ends; its exit codes, all 0 where the run was quicker."""
        until = float('inf') if kill.place else kill.moment * self.whole(variant)[1]
        options = ('--resume',) if work_dir.exists() else ()
        attempt = Attempt(
            self.server, variant, self.configs[variant.config], work_dir, kill, options
        )
        if not attempt.wait(until):
            attempt.send(getattr(signal, kill.how), kill.rank)
        attempt.wait()
        return list(attempt.codes.values())

    def differences(self, variant: Variant, work_dir: Path) -> list[str]:
        """Resume, let it come to its end, and say where it differs from the run left alone."""
        config = self.configs[variant.config]
        attempt = Attempt(self.server, variant, config, work_dir, options=('--resume',))
        attempt.wait()
        if any(attempt.codes.values()):
            return [f'not resumed: {self.log(work_dir)[-3000:]}']
        return differences(self.whole(variant)[0], work_dir)

    def close(self) -> None:
        """End the server."""
        self.server.close()

    def forget(self, work_dir: Path) -> None:
        """Remove a run."""
        shutil.rmtree(work_dir)

    def log(self, work_dir: Path) -> str:
        """What all attempts of a run printed."""
        return (work_dir / 'log').read_text()

    def command_killed(self, variant: Variant, work_dir: Path, kill: Kill) -> int:
        """The real command line, killed with all that it started; its exit code."""
        work_dir.mkdir(parents=True)
        run = self._command(variant, work_dir)
        ready = time.monotonic() + DEADLINE
        while not list(work_dir.glob('*/vis_data/scalars.json')):  # imports take the longest
            assert run.poll() is None and time.monotonic() < ready, self.log(work_dir)[-3000:]
            time.sleep(0.01)
        time.sleep(kill.moment * self.whole(variant)[1] / 2)
        os.killpg(run.pid, getattr(signal, kill.how))
        return run.wait(DEADLINE)

    def command_finished(self, variant: Variant, work_dir: Path) -> None:
        """The real command line, resumed."""
        run = self._command(variant, work_dir, '--resume')
        assert run.wait(DEADLINE) == 0, self.log(work_dir)[-6000:]

    def _command(self, variant: Variant, work_dir: Path, *options: str) -> subprocess.Popen:
        with (work_dir / 'log').open('a') as log:
            return subprocess.Popen(
                Runs.command(self.configs[variant.config], work_dir, *options),
                cwd=ROOT,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
