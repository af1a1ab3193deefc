"""How much a lexicon finds in a data set's transcripts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from mmengine.config import Config

from mart_mm.apis.record_times import segment_times
from mart_mm.apis.splits import build_split, dataset_config, find_step
from mart_mm.datasets.cache import FileCache
from mart_mm.datasets.remote import local_copies
from mart_mm.datasets.transforms.cues import packed_in
from mart_mm.errors import MediaError
from mart_mm.lexicon.base import Lexicon
from mart_mm.lexicon.matching import FUNCTION_WORDS, lemma, tokenize
from mart_mm.registry import LEXICONS, TRANSFORMS

NO_CLASS = 'no class'

_PACKERS = ('PackAffectiveInputs', 'PackFeatureInputs')


@dataclass
class LexiconReport:
    """Counts over the segments of a split, as its pipeline cuts and searches them.

    Attributes:
        split: The split.
        classes: Names of the emotion classes.
        videos: Records whose length is known.
        sources: Records by where their transcript is from; those without are not in it.
        without_transcript: Records in which nothing is said.
        unreadable: Record -> why its length is not known; it counts nowhere else.
        seconds: Total length of the records.
        segments: Segments.
        videos_with_cue: Records with at least one cue.
        segments_with_cue: Segments with at least one cue.
        cues_left_out: Cues behind the ``max_cues`` of their segment, which the model does not see.
        words: Words said.
        words_in_concepts: Words that belong to a concept.
        polarity: Cues by polarity in {-1, 0, 1}.
        concepts: Cues by concept.
        unknown: Lemmas of words that belong to no concept, words of grammar left out.
        class_counts: (C, C + 1), cues by the record's label and their own class, the last for none.
        mood_counts: Label -> cues by their primary mood.
    """

    split: str
    classes: list[str]
    videos: int = 0
    sources: Counter = field(default_factory=Counter)
    without_transcript: list[str] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    segments: int = 0
    videos_with_cue: int = 0
    segments_with_cue: int = 0
    cues_left_out: int = 0
    words: int = 0
    words_in_concepts: int = 0
    polarity: Counter = field(default_factory=Counter)
    concepts: Counter = field(default_factory=Counter)
    unknown: Counter = field(default_factory=Counter)
    class_counts: np.ndarray = None
    mood_counts: dict[str, Counter] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Start at zero."""
        count = len(self.classes)
        self.class_counts = np.zeros((count, count + 1), dtype=np.int64)
        self.mood_counts = {name: Counter() for name in self.classes}

    @property
    def cues(self) -> int:
        """Cues in all."""
        return self.concepts.total()

    def shares(self) -> dict[str, float | None]:
        """The figures, each None where there is nothing to divide by."""
        several = sum(n for concept, n in self.concepts.items() if ' ' in concept)
        named = self.class_counts[:, :-1]
        return dict(
            words_in_concepts=_ratio(self.words_in_concepts, self.words),
            videos_with_transcript=_ratio(self.sources.total(), self.videos),
            videos_with_cue=_ratio(self.videos_with_cue, self.videos),
            segments_with_cue=_ratio(self.segments_with_cue, self.segments),
            concepts_per_minute=_ratio(60 * self.cues, self.seconds),
            several_words=_ratio(several, self.cues),
            negative=_ratio(self.polarity[-1], self.cues),
            neutral=_ratio(self.polarity[0], self.cues),
            positive=_ratio(self.polarity[1], self.cues),
            of_own_class=_ratio(int(named.trace()), int(named.sum())),
            of_own_class_by_chance=_chance(named),
        )


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _chance(counts: np.ndarray) -> float | None:
    """Share on the diagonal if rows and columns had nothing to do with each other."""
    total = counts.sum()
    return float((counts.sum(0) * counts.sum(1)).sum() / total**2) if total else None


def lexicon_report(cfg: Config, split: str) -> LexiconReport:
    """Read the transcripts of a split and look up their words, as its pipeline does.

    No frame is decoded: the segments follow from the lengths that the containers state. The lexicon's
    packed form is that of training: it lies in the folder of the config's ``cache``.

    Args:
        cfg: The config.
        split: ``'train'``, ``'val'`` or ``'test'``.

    Raises:
        ValueError: When the config has no such split, or its pipeline looks up no words.
    """
    data_set = build_split(cfg, split, with_pipeline=False)
    found = dataset_config(cfg, split)
    steps = {
        kind: find_step(found['pipeline'], kind)
        for kind in ('SampleSegments', 'LoadTranscript', 'LoadFeatures', 'FindCues', *_PACKERS)
    }
    if steps['LoadFeatures']:  # it makes the segments
        del steps['SampleSegments']
    cut = steps['LoadFeatures'] and TRANSFORMS.build(steps['LoadFeatures'])
    for kind in ('SampleSegments', 'LoadTranscript', 'FindCues'):
        if kind in steps and steps[kind] is None:
            raise ValueError(
                f'{cfg.filename}: the {split} pipeline has no {kind}: nothing to count'
            )
    cache = found.get('cache', cfg.get('cache'))
    folder = str(FileCache(**cache).folder) if cache else None
    steps['FindCues']['lexicon'] = packed_in(folder, steps['FindCues']['lexicon'])
    load, find = (TRANSFORMS.build(steps[kind]) for kind in ('LoadTranscript', 'FindCues'))
    pack = next((steps[kind] for kind in _PACKERS if steps[kind]), None)
    max_cues = TRANSFORMS.build(pack).max_cues if pack else math.inf
    lexicon = LEXICONS.build(steps['FindCues']['lexicon'])
    report = LexiconReport(split, list(data_set.metainfo['classes']))
    for index in range(len(data_set)):
        record = data_set.get_data_info(index)
        try:
            with local_copies(record, cache and FileCache(**cache), data_set.backend_args) as local:
                if cut:
                    record = cut(load(local))
                else:
                    times = segment_times(local, steps['SampleSegments']['num_segments'])
                    record = load(local | dict(segment_times=times))
        except MediaError as error:
            report.unreadable[record['video_id']] = str(error)
            continue
        results = find(record | dict(mood_map=data_set.mood_map))
        _count(report, results, lexicon, find.language, max_cues)
    return report


def _count(
    report: LexiconReport, results: dict, lexicon: Lexicon, language: str, max_cues: float
) -> None:
    report.videos += 1
    if results['has_text']:
        report.sources[results['transcript_source']] += 1
    else:
        report.without_transcript.append(results['video_id'])
    times, cues = results['segment_times'], results['cues']
    report.seconds += float(times[-1, 1] - times[0, 0])
    report.segments += len(times)
    report.videos_with_cue += any(cues)
    report.segments_with_cue += sum(map(bool, cues))
    for text, found in zip(results['texts'], cues, strict=True):
        report.cues_left_out += max(0, len(found) - max_cues)
        _count_words(report, text, found, language)
        for cue in found:
            label, named = results['gt_emotion'], cue['emotion_class']
            report.polarity[cue['polarity']] += 1
            report.concepts[cue['concept']] += 1
            report.class_counts[label, named] += 1  # -1, for none, is the last column
            moods = lexicon.lookup(cue['concept']).moods
            report.mood_counts[report.classes[label]][moods[0] if moods else NO_CLASS] += 1


def _count_words(report: LexiconReport, text: str, cues: Sequence[dict], language: str) -> None:
    spans = [cue['span'] for cue in cues]
    for token in tokenize(text):
        start, stop = token.span
        report.words += 1
        if any(first <= start and stop <= last for first, last in spans):
            report.words_in_concepts += 1
        elif token.text.lower().replace('’', "'") not in FUNCTION_WORDS:
            report.unknown[lemma(token.text, language)] += 1
