"""What can be said against a file."""

from __future__ import annotations

from typing import NamedTuple

#: findings that spoil a run: the file does not give what its labels are about
ERRORS = {
    'missing': 'the file does not exist',
    'broken': 'it cannot be opened, or nothing of it can be decoded',
    'truncated': 'less can be decoded than the file announces, or parts of it are damaged',
    'label-conflict': 'the same content has another label elsewhere',
}
#: findings that the pipelines cope with, but that may not be meant
WARNINGS = {
    'no-video': 'there is no video stream',
    'silent': 'there is no audio stream',
    'mute': 'there is an audio stream, and nothing is heard in it',
    'no-transcript': 'neither annotation, sidecar, container nor recognised speech gives words',
    'bad-transcript': 'a transcript cannot be read',
    'too-short': 'shorter than asked for, or than a record says',
    'variable-rate': 'the time from frame to frame is not constant',
    'rotated': 'the picture must be turned to stand upright',
    'duplicate': 'the same content stands elsewhere, or the same record in two splits',
}
KINDS = (*ERRORS, *WARNINGS)


class Finding(NamedTuple):
    """Something is wrong with a file.

    Attributes:
        kind: One of :data:`KINDS`.
        detail: What exactly, in words.
    """

    kind: str
    detail: str

    @property
    def is_error(self) -> bool:
        """Whether it spoils a run."""
        return self.kind in ERRORS
