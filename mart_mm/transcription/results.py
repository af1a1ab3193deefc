"""Results of speech recognition beside the video: ``<video>.asr.json`` and ``<video>.asr.srt``."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from mart_mm.lexicon.subtitle_text import plain_text
from mart_mm.lexicon.transcript import TranscriptError, TranscriptLine
from mart_mm.transcription.filters import Dropped
from mart_mm.transcription.segments import SpeechSegment, SpeechWord

#: of the JSON's layout and meaning; raise it with every change, and old results are made anew
VERSION = 1
_SAMPLE = 1 << 16  # bytes of each end of a file that are hashed


@dataclass(frozen=True)
class Transcription:
    """A finished result.

    Attributes:
        settings: Backend, model and options; see ``BackendConfig.settings``.
        media: Identity of the file; see ``file_identity``.
        language: ISO 639-1 code, or None where nothing is said.
        has_sound: Whether the file has a sound track.
        segments: Those that stay.
        dropped: Those that were set aside, with the reason.
    """

    settings: dict
    media: dict
    language: str | None
    has_sound: bool
    segments: tuple[SpeechSegment, ...] = ()
    dropped: tuple[Dropped, ...] = ()

    @property
    def counts(self) -> dict:
        """Number of segments kept, and dropped by reason."""
        return dict(kept=len(self.segments), dropped=Counter(item.reason for item in self.dropped))


def result_path(video: str | Path) -> Path:
    """Path of a video's JSON; the .srt lies beside it."""
    video = Path(video)
    return video.with_name(f'{video.stem}.asr.json')


def file_identity(path: str | Path) -> dict:
    """Name, size and a hash of both ends of a file; the same after copying, other for other content.

    Args:
        path: A file, or a folder of model weights: then of all its files.

    Raises:
        OSError: When it cannot be read.
    """
    path = Path(path)
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    total, digest = 0, hashlib.sha256()
    for file in filter(Path.is_file, files):
        size = file.stat().st_size
        total += size
        digest.update(f'{file.name} {size}\n'.encode())
        with file.open('rb') as stream:
            digest.update(stream.read(_SAMPLE))
            stream.seek(max(0, size - _SAMPLE))
            digest.update(stream.read(_SAMPLE))
    return dict(name=path.name, size=total, sha256_of_ends=digest.hexdigest())


def write_result(video: str | Path, result: Transcription) -> Path:
    """Write both files; whoever reads them finds the old ones or the new ones, never a part.

    The JSON comes last: where it is, the result is finished.

    Returns:
        Path of the JSON.
    """
    content = dict(
        version=VERSION,
        **result.settings,
        media=result.media,
        language=result.language,
        has_sound=result.has_sound,
        counts=result.counts,
        segments=[_rounded(segment) for segment in result.segments],
        dropped=[dict(reason=reason, **_rounded(segment)) for segment, reason in result.dropped],
    )
    path = result_path(video)
    _replace(path.with_suffix('.srt'), _srt(result.segments))
    _replace(path, json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + '\n')
    return path


def is_finished(video: str | Path, settings: dict) -> bool:
    """Whether the result beside a video was made of this file, with these settings."""
    try:
        content = _load(result_path(video))
        same_media = content.get('media') == file_identity(video)
    except (TranscriptError, OSError):
        return False
    return same_media and all(content.get(key) == value for key, value in settings.items())


def read_speech(path: str | Path) -> list[TranscriptLine]:
    """Lines of a ``.asr.json``, their words with times, in the order of their start.

    Raises:
        TranscriptError: When it is no result of this version.
    """
    content = _load(Path(path))
    try:
        segments = [_segment(item) for item in content['segments']]
        lines = [segment.line() for segment in segments if segment.end > segment.start >= 0]
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise TranscriptError(path, f'damaged: a segment is not as written ({error!r})') from error
    return sorted(lines)


def _load(path: Path) -> dict:
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
    except OSError as error:
        raise TranscriptError(path, f'cannot be opened ({error.strerror})') from error
    except (ValueError, RecursionError) as error:
        raise TranscriptError(path, f'not readable as JSON ({error})') from error
    version = content.get('version') if isinstance(content, dict) else None
    if version != VERSION:
        raise TranscriptError(
            path,
            f'version {version!r} of a speech recognition result, this program reads {VERSION}: '
            'run tools/data/transcribe.py again',
        )
    return content


def _segment(item: dict) -> SpeechSegment:
    words = tuple(
        SpeechWord(
            plain_text(str(word['text'])),
            _finite(word['start']),
            _finite(word['end']),
            _finite(word['probability']),
        )
        for word in item['words']
    )
    numbers = ('start', 'end', 'no_speech_prob', 'avg_logprob', 'compression_ratio')
    return SpeechSegment(
        text=plain_text(str(item['text'])),
        words=words,
        **{key: _finite(item[key]) for key in numbers},
    )


def _finite(value: object) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f'{number} is no number that can be used')
    return number


def _rounded(segment: SpeechSegment) -> dict:
    item = asdict(segment)
    item['words'] = [_round(word) for word in item['words']]
    return _round(item)


def _round(item: dict) -> dict:
    return {key: round(x, 4) if isinstance(x, float) else x for key, x in item.items()}


def _srt(segments: Sequence[SpeechSegment]) -> str:
    return ''.join(
        f'{number}\n{_clock(segment.start)} --> {_clock(segment.end)}\n{segment.text}\n\n'
        for number, segment in enumerate(segments, 1)
    )


def _clock(seconds: float) -> str:
    minutes, milliseconds = divmod(round(seconds * 1000), 60_000)
    hours, minutes = divmod(minutes, 60)
    return f'{hours:02}:{minutes:02}:{milliseconds // 1000:02},{milliseconds % 1000:03}'


def _replace(path: Path, text: str) -> None:
    part = path.with_name(f'.{path.name}.{os.getpid()}.part')
    try:
        part.write_text(text, encoding='utf-8')
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
