from __future__ import annotations

import signal

import pytest

from mart_mm.preparation.workers import run_each


@pytest.mark.parametrize('processes', [1, 3])
def test_a_crash_is_the_failure_of_one_item(processes):
    """The function ends its own process, as a decoder may; SIGCONT does nothing."""
    items = [signal.SIGCONT] * 3 + [signal.SIGKILL] + [signal.SIGCONT] * 3
    ended = list(run_each(signal.raise_signal, items, processes))
    assert sorted(item for item, _ in ended) == sorted(items)
    crashed = [(item, reason) for item, reason in ended if reason is not None]
    assert crashed == [(signal.SIGKILL, 'the process that read it crashed')]


def test_other_errors_are_not_swallowed():
    with pytest.raises(TypeError):
        list(run_each(signal.raise_signal, ['no signal'], 1))
