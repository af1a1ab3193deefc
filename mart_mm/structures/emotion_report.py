"""What a video conveys, when, and because of which words: plain data, without torch.

It is what :class:`mart_mm.apis.MARTInferencer` returns and writes, and all that exports, pictures and the
page read.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from mart_mm.utils.atomic import write_text

#: names of the verification levels (paper Sec. 3.2); level 0 is a word that the lexicon knows
LEVELS = ('found', 'E1', 'E2', 'E3')
#: what a word failed, by the level it reached; a word of level 3 failed nothing
DROPPED_AT = ('sentiment', 'emotion', 'degree', None)
FORMAT = 1


class ReportError(ValueError):
    """A file that is no emotion report; the message names the file, the field and the remedy."""


@dataclass(frozen=True)
class SegmentReport:
    """A stretch of the video.

    Attributes:
        start: Seconds.
        end: Seconds.
        distribution: Probability of each class, in the order of the report's ``classes``.
        emotion: The class with the highest one.
        sentiment: Polarity of the distribution: -1, 0 or 1.
        degree: How strong the segment's emotion is against the video's strongest segment, in [0, 1].
        text: What is said, empty where nothing is.
    """

    start: float
    end: float
    distribution: list[float]
    emotion: str
    sentiment: int
    degree: float
    text: str = ''


@dataclass(frozen=True)
class WordReport:
    """A word or phrase that the lexicon knows.

    Attributes:
        word: As written.
        concept: What the lexicon calls it.
        start: Seconds.
        end: Seconds.
        segment: Index of its segment.
        polarity: Of the lexicon: -1, 0 or 1.
        emotion: Class that the lexicon gives it, None where none of the report's.
        affect: Degree in [0, 1] of each class.
        level: Highest verification level reached, 0 to 3; None where the model verifies no words.
        dropped: What it failed: ``'sentiment'`` (E1), ``'emotion'`` (E2), ``'degree'`` (E3); None for a
            verified word, or where nothing was verified.
    """

    word: str
    concept: str
    start: float
    end: float
    segment: int
    polarity: int
    emotion: str | None
    affect: list[float]
    level: int | None
    dropped: str | None


@dataclass(frozen=True)
class MaskReport:
    """What emotion-oriented masking picks at the end of pretraining (paper Sec. 3.3, Eq. 6-7).

    The masker ranks the patches of a segment by how much its verified words attend to them, and the
    segment's own feature, in the shares of the model's config; where it has no verified word, by its own
    feature alone. Picked are the patches that it hides and, ranked above these, the few that it leaves
    visible as hints.

    Attributes:
        visual: Of each segment, rows of patches from top to bottom: strings of digits from left to right,
            ``'0'`` for a patch that is picked at no time step of the segment to ``'9'`` for one that is
            picked at all of them. None where frames are not masked.
        audio: Of each segment, bands of its sound from low to high: strings of digits from its start to
            its end, ``'9'`` for a picked patch and ``'0'`` for another. Empty where the segment has no
            sound, None where none has, or sound is not masked.
        with_words: Of each segment, whether it has verified words, which then take part.
    """

    visual: list[list[str]] | None
    audio: list[list[str]] | None
    with_words: list[bool]


@dataclass(frozen=True)
class EmotionReport:
    """All of a video.

    Attributes:
        video: Name of the file, without its folder; empty for arrays.
        duration: Seconds.
        classes: Emotion classes.
        polarity: Of each class: -1, 0 or 1.
        emotion: Of the whole video.
        scores: Probability of each class for the whole video.
        sentiment: Of the whole video: -1, 0 or 1.
        segments: In order of time.
        words: In order of time.
        has_sound: Whether sound was heard.
        transcript_source: ``'given'``, ``'sidecar'``, ``'container'``, ``'speech'`` or None.
        warnings: What could not be read or was left out, in words.
        model: ``name``, ``checkpoint`` (file name), ``sha256`` (of the file, first 16 digits) and
            ``version`` of this package.
        masks: What MART's masker picks; None where it was not asked for, or the model has no such masker.
    """

    video: str
    duration: float
    classes: list[str]
    polarity: list[int]
    emotion: str
    scores: list[float]
    sentiment: int
    segments: list[SegmentReport]
    words: list[WordReport]
    has_sound: bool
    transcript_source: str | None
    warnings: list[str] = field(default_factory=list)
    model: dict[str, str] = field(default_factory=dict)
    masks: MaskReport | None = None

    def to_dict(self) -> dict:
        """As plain data, with ``format`` in front; ``masks`` only where there are any."""
        content = dict(format=FORMAT, **asdict(self))
        if self.masks is None:
            del content['masks']
        return content

    def save(self, path: str | Path) -> Path:
        """Write as JSON, whole or not at all; a name that is no UTF-8 comes back as it was."""
        path = Path(path)
        content = json.dumps(self.to_dict(), ensure_ascii=False, indent=1)
        write_text(path, content, errors='backslashreplace')
        return path

    @classmethod
    def from_dict(cls, content: dict, source: str = 'the report') -> EmotionReport:
        """From what :meth:`to_dict` gave.

        Args:
            content: Plain data.
            source: Named in errors.

        Raises:
            ReportError: When something is missing, unknown, or of another format.
        """
        if not isinstance(content, dict) or content.get('format') != FORMAT:
            raise ReportError(
                f'{source}: format {FORMAT} of an emotion report is expected: write it with '
                '"mart-mm infer"'
            )
        try:
            content = {name: value for name, value in content.items() if name != 'format'}
            content['segments'] = [SegmentReport(**part) for part in content['segments']]
            content['words'] = [WordReport(**part) for part in content['words']]
            if content.get('masks') is not None:
                content['masks'] = MaskReport(**content['masks'])
            return cls(**content)
        except (KeyError, TypeError) as error:
            raise ReportError(
                f'{source}: no emotion report ({error}): write it with "mart-mm infer"'
            ) from error

    @classmethod
    def load(cls, path: str | Path) -> EmotionReport:
        """Read what :meth:`save` wrote.

        Raises:
            OSError: When the file cannot be read.
            ReportError: When it holds something else.
        """
        try:
            content = json.loads(Path(path).read_text(encoding='utf-8'))
        except (UnicodeDecodeError, json.JSONDecodeError) as error:
            raise ReportError(
                f'{path}: not JSON ({error}): write it with "mart-mm infer"'
            ) from error
        return cls.from_dict(content, str(path))
