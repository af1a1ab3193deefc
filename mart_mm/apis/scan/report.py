"""The results of a scan as a table, a summary, JSON and CSV."""

from __future__ import annotations

import csv
import math
import os
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from io import StringIO

from mart_mm.apis.scan.findings import ERRORS, KINDS, WARNINGS
from mart_mm.apis.scan.judge import FileReport, length

COLUMNS = ('file', 'seconds', 'frames', 'fps', 'size', 'audio', 'transcript', 'findings')


@dataclass
class ScanReport:
    """What a scan found.

    Attributes:
        files: One report per file, in the order of the targets.
    """

    files: list[FileReport]

    @property
    def counts(self) -> Counter:
        """Files by kind of finding."""
        return Counter(
            kind for report in self.files for kind in {finding.kind for finding in report.findings}
        )

    def failing(self, kinds: Collection[str] = tuple(ERRORS)) -> list[FileReport]:
        """Files with a finding of one of these kinds."""
        return [r for r in self.files if any(finding.kind in kinds for finding in r.findings)]

    def rows(self) -> list[dict[str, str]]:
        """A row of :data:`COLUMNS` per file."""
        return [_row(report) for report in self.files]

    def table(self) -> str:
        """Aligned columns; paths below the folder they share, which stands above them."""
        rows = self.rows()
        root = _shared_folder([row['file'] for row in rows])
        for row in rows:
            row['file'] = os.path.relpath(row['file'], root) if root else row['file']
        rows.insert(0, dict(zip(COLUMNS, COLUMNS, strict=True)))
        widths = {name: max(len(row[name]) for row in rows) for name in COLUMNS}
        lines = []
        for row in rows:
            cells = [
                row[name].rjust(widths[name])
                if name in ('seconds', 'frames', 'fps')
                else row[name].ljust(widths[name])
                for name in COLUMNS
            ]
            lines.append('  '.join(cells).rstrip())
        return '\n'.join(([f'in {root}'] if root else []) + lines)

    def details(self) -> str:
        """A line per finding that says more than its name."""
        return '\n'.join(
            f'{finding.kind}: {report.target.path}: {finding.detail}'
            for report in self.files
            for finding in report.findings
            if finding.detail
        )

    def summary(self) -> str:
        """Files, length and counts per finding, errors first."""
        seconds = [length(r.facts.media) for r in self.files if r.facts is not None]
        total = sum(s for s in seconds if not math.isnan(s))
        whole = sum(not report.findings for report in self.files)
        lines = [f'{len(self.files)} files, {total / 60:.1f} min; {whole} without a finding']
        for name, kinds in (('errors', ERRORS), ('warnings', WARNINGS)):
            shown = [f'{kind} {self.counts[kind]}' for kind in kinds if self.counts[kind]]
            lines.append(f'{name}: {", ".join(shown) or "none"}')
        return '\n'.join(lines)

    def to_json(self) -> dict:
        """Everything, in types that JSON has; unknown numbers are None."""
        return _plain(
            dict(
                summary=dict(
                    files=len(self.files),
                    without_finding=sum(not report.findings for report in self.files),
                    counts={kind: self.counts[kind] for kind in KINDS},
                ),
                files=[
                    dict(
                        path=report.target.path,
                        kind=report.target.kind,
                        findings=[
                            dict(f._asdict(), severity='error' if f.is_error else 'warning')
                            for f in report.findings
                        ],
                        facts=asdict(report.facts) if report.facts is not None else None,
                        records=[asdict(usage) for usage in report.target.usages],
                    )
                    for report in self.files
                ],
            )
        )

    def to_csv(self) -> str:
        """The table's columns, whole paths."""
        text = StringIO()
        writer = csv.DictWriter(text, COLUMNS, lineterminator='\n')
        writer.writeheader()
        writer.writerows(self.rows())
        return text.getvalue()


def _row(report: FileReport) -> dict[str, str]:
    row = dict.fromkeys(COLUMNS, '-') | dict(
        file=report.target.path,
        findings=' '.join(dict.fromkeys(finding.kind for finding in report.findings)),
    )
    if report.facts is None:
        return row
    media = report.facts.media
    seconds = length(media)
    if not math.isnan(seconds):
        row['seconds'] = f'{seconds:.2f}'
    if media.video is not None:
        video = media.video
        row['frames'], row['size'] = str(video.num_frames), f'{video.size[0]}x{video.size[1]}'
        if not math.isnan(video.fps):
            row['fps'] = f'{video.fps:.2f}'
    if media.audio is not None:
        audio = media.audio
        row['audio'] = f'{audio.codec} {audio.sample_rate / 1000:g} kHz {audio.channels} ch'
    sources = dict.fromkeys(source for source in report.facts.sources if source)
    if sources:
        row['transcript'] = '+'.join(sources)
    return row


def _shared_folder(paths: Sequence[str]) -> str:
    """The folder that holds all paths, or '' where there is none."""
    try:
        folder = os.path.commonpath([os.path.dirname(path) for path in paths])
    except ValueError:  # absolute and relative ones, or none
        return ''
    return folder if folder not in ('', os.sep) else ''


def _plain(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
