"""Faults are injected a few times in every run of the tests, and by the thousand with ``--full``."""

from __future__ import annotations

from collections.abc import Callable

import pytest

TOLD = 'told'


@pytest.fixture
def count(request: pytest.FixtureRequest) -> Callable[[int, int], int]:
    """``count(few, many)``: how many faults this run injects."""
    return lambda few, many: many if request.config.getoption('--full') else few


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """A line for the end of the run: what was injected and what came of it."""
    return lambda line: request.node.user_properties.append((TOLD, line))


def pytest_terminal_summary(terminalreporter: object) -> None:
    """Print what tests told, also those of other processes."""
    reports = (
        report
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, 'when', None) == 'call'
    )
    lines = [
        f'{report.nodeid.rsplit("::", 1)[-1]}: {value}'
        for report in reports
        for name, value in report.user_properties
        if name == TOLD
    ]
    if lines:
        terminalreporter.section('faults')
        for line in lines:
            terminalreporter.write_line(line)
