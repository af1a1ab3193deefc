"""The log of a resumed run holds each step once."""

import json
from pathlib import Path

import pytest

from mart_mm.visualization.run_log import read_run, read_scalars


def write(work_dir: Path, start: str, records: list[dict], rest: str = '') -> Path:
    file = work_dir / start / 'vis_data' / 'scalars.json'
    file.parent.mkdir(parents=True)
    file.write_text(''.join(json.dumps(record) + '\n' for record in records) + rest)
    return file


def step(number: int, value: str) -> dict:
    """Of epochs of two steps."""
    return dict(loss=value, epoch=(number + 1) // 2, iter=number, step=number)


def evaluation(epoch: int, value: str) -> dict:
    return {'affect/emotion_acc': value, 'step': epoch}


def test_what_a_resumed_run_logs_again_counts_once(tmp_path: Path) -> None:
    first = [step(1, 'a'), step(2, 'a'), evaluation(1, 'a'), step(3, 'a'), step(4, 'a')]
    write(tmp_path, '20260101_000000', [*first, evaluation(2, 'a')])
    write(tmp_path, '20260101_000100', [])  # ended before it logged
    write(tmp_path, '20260102_000000', [step(4, 'b'), evaluation(2, 'b'), step(5, 'b')])
    assert read_run(tmp_path) == [*first[:4], step(4, 'b'), evaluation(2, 'b'), step(5, 'b')]


def test_resumed_before_an_evaluation(tmp_path: Path) -> None:
    write(tmp_path, '1', [step(1, 'a'), step(2, 'a'), evaluation(1, 'a'), step(3, 'a')])
    write(tmp_path, '2', [evaluation(1, 'b'), step(3, 'b')])
    assert read_run(tmp_path) == [step(1, 'a'), step(2, 'a'), evaluation(1, 'b'), step(3, 'b')]


def test_a_run_started_anew_counts_alone(tmp_path: Path) -> None:
    write(tmp_path, '1', [step(1, 'a'), step(2, 'a'), evaluation(1, 'a')])
    write(tmp_path, '2', [step(1, 'b')])
    assert read_run(tmp_path) == [step(1, 'b')]


def test_line_that_a_kill_cut_off(tmp_path: Path) -> None:
    file = write(tmp_path, '1', [step(1, 'a')], rest='{"loss": 0.')
    assert read_scalars(file) == [step(1, 'a')]
    file = write(tmp_path, '2', [step(1, 'a')], rest='{"loss": 0.\n' + json.dumps(step(2, 'a')))
    with pytest.raises(ValueError, match='line 2: no record'):
        read_scalars(file)
