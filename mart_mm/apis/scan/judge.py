"""From what files hold to what can be said against them."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from mart_mm.apis.scan.facts import MediaFacts
from mart_mm.apis.scan.findings import KINDS, Finding
from mart_mm.apis.scan.probe import Facts
from mart_mm.apis.scan.targets import Target, Usage
from mart_mm.apis.splits import SPLITS

#: seconds by which a record may end behind its file: what is rounded in annotations
_ROUNDING = 0.1
#: seconds by which containers round lengths
_MILLISECONDS = 0.005


@dataclass
class FileReport:
    """What was found out about a target.

    Attributes:
        target: The target.
        facts: What it holds; None where it is missing or its decoder failed.
        findings: What can be said against it, errors first.
    """

    target: Target
    facts: Facts | None
    findings: list[Finding] = field(default_factory=list)


def judge(target: Target, facts: Facts | None, failure: str, min_seconds: float) -> FileReport:
    """Findings about one file.

    Args:
        target: The target.
        facts: What it holds, or None.
        failure: Why there are no facts.
        min_seconds: Shorter files are too short.
    """
    report = FileReport(target, facts)
    if not os.path.exists(target.path):
        report.findings.append(Finding('missing', _used_by(target.usages)))
    elif failure or facts.media.broken:
        report.findings.append(Finding('broken', failure or facts.media.broken))
    elif target.kind != 'features':
        report.findings += _about_media(target, facts.media, min_seconds)
        report.findings += _about_transcripts(facts)
    report.findings += _same_record(target.usages)
    return report


def _used_by(usages: Sequence[Usage]) -> str:
    if not usages:
        return ''
    more = f' and {len(usages) - 1} more' if len(usages) > 1 else ''
    return f'{"+".join(usages[0].splits)}: {usages[0].video_id}{more}'


def _about_media(target: Target, media: MediaFacts, min_seconds: float) -> list[Finding]:
    found = [Finding('truncated', text) for text in media.damage]
    video, audio = media.video, media.audio
    if target.kind == 'video' and video is None:
        found.append(Finding('no-video', ''))
    if audio is None and target.needs_sound:
        found.append(Finding('silent', 'no audio stream'))
    elif audio is not None and audio.is_mute:
        found.append(Finding('mute', f'{audio.seconds:.1f} s in which nothing is heard'))
    if video is not None and video.is_variable_rate:
        shortest, longest = (f'{seconds * 1000:.0f}' for seconds in video.intervals)
        found.append(Finding('variable-rate', f'{shortest} to {longest} ms from frame to frame'))
    if video is not None and video.rotation:
        found.append(Finding('rotated', f'{video.rotation} degrees'))
    return found + _too_short(target, media, min_seconds)


def _about_transcripts(facts: Facts) -> list[Finding]:
    found = [Finding('bad-transcript', text) for text in facts.warnings]
    absent, count = facts.sources.count(None), len(facts.sources)
    if absent:
        detail = f'{absent} of {count} records have none' if count > 1 else ''
        found.append(Finding('no-transcript', detail))
    return found


def length(media: MediaFacts) -> float:
    """Seconds of the pictures, else of the sound; nan for pictures in a folder."""
    if media.video is not None:
        return media.video.seconds
    return media.audio.seconds if media.audio is not None else math.nan


def _too_short(target: Target, media: MediaFacts, min_seconds: float) -> list[Finding]:
    seconds = length(media)
    if seconds < min_seconds - _MILLISECONDS:
        return [Finding('too-short', f'{seconds:.2f} s, less than {min_seconds:g} s')]
    behind, outside = [], 0
    for usage in target.usages:
        end, stop = usage.times.get('end', 0.0), usage.times.get('stop_frame', 0)
        start, first = usage.times.get('start', 0.0), usage.times.get('start_frame', 0)
        frames = media.video.num_frames if media.video and target.kind == 'video' else math.inf
        if os.path.isdir(target.path):  # frames without a face are left out there
            frames = math.inf
        if end > seconds + _ROUNDING or stop > frames:
            behind.append(usage)
        outside += start >= seconds or first >= frames
    if not behind and not outside:
        return []
    detail = (
        f'{len(behind)} of {len(target.usages)} records end behind it, {behind[0].video_id} first'
    )
    return [Finding('too-short', detail + (f'; {outside} start behind it' if outside else ''))]


def _same_record(usages: Sequence[Usage]) -> list[Finding]:
    """Records that stand twice: in training and in evaluation, or with two labels."""
    by_id: dict[str, list[Usage]] = {}
    for usage in usages:
        by_id.setdefault(usage.video_id, []).append(usage)
    found = []
    for name, same in by_id.items():
        labels = sorted({usage.label for usage in same})
        splits = [s for s in SPLITS if any(s in usage.splits for usage in same)]
        where = f'{name} stands in {", ".join(splits)}'
        if len(labels) > 1:
            found.append(Finding('label-conflict', f'{where}, labelled {" and ".join(labels)}'))
        elif 'train' in splits and len(splits) > 1:
            found.append(Finding('duplicate', where))
    return found


def compare(reports: Sequence[FileReport]) -> None:
    """Add findings about files of the same content; sorts the findings."""
    by_digest: dict[str, list[FileReport]] = {}
    for report in reports:
        if report.facts is not None and report.facts.digest:
            by_digest.setdefault(report.facts.digest, []).append(report)
    for same in by_digest.values():
        for report in same if len(same) > 1 else ():
            others = [other for other in same if other is not report]
            names = ', '.join(other.target.path for other in others)
            conflicts = [text for other in others for text in _conflict(report, other)]
            report.findings.append(Finding('duplicate', f'same bytes as {names}'))
            report.findings += [Finding('label-conflict', text) for text in conflicts]
    for report in reports:
        report.findings.sort(key=lambda finding: KINDS.index(finding.kind))


def _conflict(report: FileReport, other: FileReport) -> list[str]:
    """Whether the same part of two files of one content has different labels."""
    labels, others = _labels(report.target), _labels(other.target)
    return [
        f'{"+".join(sorted(labels[part]))} here, {"+".join(sorted(others[part]))} as '
        f'{other.target.path}'
        for part in labels
        if part in others and labels[part] != others[part]
    ]


def _labels(target: Target) -> dict[tuple, set[str]]:
    """Labels of each part of a file."""
    labels: dict[tuple, set[str]] = {}
    for usage in target.usages:
        labels.setdefault(tuple(sorted(usage.times.items())), set()).add(usage.label)
    return labels
