"""One process per run; what has run is not run again."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from mmengine.config import Config

from mart_mm.utils.atomic import write_text
from tools.analysis.paper_tables.child import prepared_context, train_in_child

RESULT = 'result.json'
_TRAIN = Path(__file__).resolve().parents[2] / 'train.py'


class RunFailedError(RuntimeError):
    """A run ended without a score; the message names its log."""


@dataclass(frozen=True)
class Run:
    """A config trained with a seed.

    Attributes:
        config: The file.
        seed: Of weights, order and augmentation.
        folder: Work directory.
        options: ``key=value`` overrides.
    """

    config: Path
    seed: int
    folder: Path
    options: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Hash of all that the config says, so that a changed config is run again.

        Pipelines and pretexts that it only names, to refer to them, are left out.
        """
        cfg = Config.fromfile(self.config).to_dict()
        said = {k: v for k, v in cfg.items() if not k.endswith(('_pipeline', '_pretext'))}
        text = json.dumps(said, sort_keys=True, default=repr) + repr((self.seed, self.options))
        return sha256(text.encode()).hexdigest()

    def result(self) -> dict | None:
        """What a finished run of this very config found, or None."""
        try:
            found = json.loads((self.folder / RESULT).read_text(encoding='utf-8'))
        except (OSError, ValueError):
            return None
        return found if found.get('digest') == self.digest else None

    def execute(self, threads: int = 1) -> dict:
        """Train to the end, or on from the last checkpoint of a run that was stopped.

        Args:
            threads: Of torch and its libraries.

        Returns:
            ``metrics`` of the last epoch and of the best one, ``seconds``, ``commit``, ``digest``.

        Raises:
            RunFailedError: When it fails, with the end of its log.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        stamp = self.folder / 'digest'
        can_resume = stamp.exists() and stamp.read_text() == self.digest
        if not can_resume:
            for old in [*self.folder.glob('*.pth'), self.folder / 'last_checkpoint']:
                old.unlink(missing_ok=True)
        stamp.write_text(self.digest)
        arguments = [str(self.config), '--work-dir', str(self.folder)]
        if (self.folder / 'last_checkpoint').exists():
            arguments.append('--resume')
        arguments += ['--cfg-options', f'randomness.seed={self.seed}', *self.options]
        began = time.perf_counter()
        log = self.folder / 'output.txt'
        process = prepared_context(threads).Process(
            target=train_in_child, args=(arguments, str(log))
        )
        process.start()
        process.join()
        if process.exitcode:
            tail = log.read_text(errors='replace')[-1500:] if log.exists() else ''
            raise RunFailedError(
                f'{self.config}, seed {self.seed}: exit code {process.exitcode}\n{tail}'
            )
        result = dict(
            config=str(self.config),
            seed=self.seed,
            digest=self.digest,
            commit=commit(),
            seconds=time.perf_counter() - began,
            resumed='--resume' in arguments,
            **self._scores(),
        )
        write_text(self.folder / RESULT, json.dumps(result, indent=1))
        for best in self.folder.glob('best_*.pth'):  # the best by test score is reported, not kept
            best.unlink()
        return result

    def _scores(self) -> dict:
        """Scores of the last evaluation, and of the best by emotion accuracy."""
        lines = [
            json.loads(line)
            for file in sorted(self.folder.glob('*/vis_data/scalars.json'))
            for line in file.read_text().splitlines()
        ]
        scored = [
            {key.removeprefix('affect/'): value for key, value in line.items()}
            for line in lines
            if 'affect/emotion_acc' in line
        ]
        if not scored:
            raise RunFailedError(f'{self.config}: no score in {self.folder}')
        best = max(scored, key=lambda line: line['emotion_acc'])
        return dict(metrics=scored[-1], best_metrics=best)


def commit() -> str:
    """The commit of this checkout, ``-dirty`` where files have changed since."""
    command = ['git', 'describe', '--always', '--dirty']
    done = subprocess.run(command, cwd=_TRAIN.parent, capture_output=True, text=True)
    return done.stdout.strip() or 'unknown'


def execute_all(
    runs: Sequence[Run], jobs: int, threads: int, report: Callable[[Run, dict], None]
) -> Iterator[tuple[Run, str]]:
    """Execute runs side by side.

    Args:
        runs: What is missing.
        jobs: Processes at a time.
        threads: Of each.
        report: Called with each finished run and its result.

    Yields:
        Runs that failed, with the reason.
    """
    with ThreadPoolExecutor(jobs) as pool:
        waiting = {pool.submit(run.execute, threads): run for run in runs}
        for done in as_completed(waiting):
            run = waiting[done]
            try:
                report(run, done.result())
            except RunFailedError as error:
                yield run, str(error)
