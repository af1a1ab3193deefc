"""Everything that is asked of one target; runs in a process of its own."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field

from mart_mm.apis.scan.decode import decode_file
from mart_mm.apis.scan.facts import MediaFacts
from mart_mm.apis.scan.targets import Target
from mart_mm.datasets.media.feature_file import read_features
from mart_mm.datasets.transforms.transcript import LoadTranscript
from mart_mm.errors import MediaError

_BLOCK = 1 << 22


@dataclass
class Facts:
    """What a target holds.

    Attributes:
        media: Of its video and sound.
        sources: Where what is said was found, one per distinct transcript; None where nowhere.
        warnings: Transcripts that cannot be read, and why.
        digest: SHA-256 of the file, where it was asked for.
    """

    media: MediaFacts
    sources: list[str | None] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    digest: str = ''


def probe(target: Target, beat: Callable[[], None]) -> Facts:
    """Decode a target or read its features, look for its transcript and hash it, as it asks for."""
    if target.kind == 'features':
        try:
            read_features(target.path)
        except MediaError as error:
            return Facts(MediaFacts(broken=error.reason))
        return Facts(MediaFacts())
    facts = Facts(decode_file(target.path, beat))
    if target.needs_transcript:
        load = LoadTranscript(**target.transcript_options)
        for record in target.spoken:
            results = load(dict(record))
            facts.sources.append(results['transcript_source'])
            facts.warnings += results['warnings']
            beat()
        facts.warnings = list(dict.fromkeys(facts.warnings))
    if target.needs_digest and os.path.isfile(target.path):
        facts.digest = _digest(target.path, beat)
    return facts


def _digest(path: str, beat: Callable[[], None]) -> str:
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            beat()
    return digest.hexdigest()
