"""What a check says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

OK, WARNING, ERROR = 'ok', 'warning', 'ERROR'


class Finding(NamedTuple):
    """One line of a report.

    Attributes:
        level: :data:`OK`, :data:`WARNING` or :data:`ERROR`.
        part: What was looked at: ``config``, ``names``, ``files``, ``data`` or ``batch``.
        message: Names the place, the fault and the remedy.
    """

    level: str
    part: str
    message: str


@dataclass
class CheckReport:
    """All that was found.

    Attributes:
        config: The config's file.
        findings: In the order of the check.
    """

    config: str
    findings: list[Finding] = field(default_factory=list)

    @property
    def has_errors(self) -> bool:
        """Whether a run would stop."""
        return any(finding.level == ERROR for finding in self.findings)

    def __str__(self) -> str:
        """The report for a person."""
        lines = [self.config]
        for level, part, message in self.findings:
            first, *rest = message.splitlines()
            lines += [f'  {level:<8}{part:<7} {first}', *(f'{"":<18}{line}' for line in rest)]
        errors = sum(finding.level == ERROR for finding in self.findings)
        warnings = sum(finding.level == WARNING for finding in self.findings)
        return '\n'.join([*lines, f'{errors} errors, {warnings} warnings'])


def told(error: BaseException) -> str:
    """What an error says; of a KeyError without the quotes."""
    return str(error.args[0] if isinstance(error, KeyError) and error.args else error)
