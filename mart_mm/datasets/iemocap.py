"""IEMOCAP (Busso et al., Language Resources and Evaluation 2008): dialogues of two actors, five sessions."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from mmengine.logging import print_log

from mart_mm.datasets.annotation_text import parse_json, read_lines, read_text
from mart_mm.datasets.base import AffectiveDataset
from mart_mm.errors import shown
from mart_mm.registry import DATASETS

SESSIONS = (1, 2, 3, 4, 5)
SPLITS = ('train', 'test')
SIDES = ('left', 'right')
_TURN = re.compile(
    r'^\[\s*(?P<start>\d{1,9}\.\d{1,9})\s*-\s*(?P<end>\d{1,9}\.\d{1,9})\s*\]'
    r'\s+(?P<id>Ses0[1-5][FM]\S*_[FM]\w+)\s+(?P<label>\w+)\s',
    re.ASCII,
)
_SAID = re.compile(r'^(?P<id>Ses\d\d\S+)\s+\[[^\]]*\]:\s*(?P<text>.*)$')
#: class of each of the labels in EmoEvaluation, by preset; other labels (xxx, oth, ...) have none
_CLASS_OF = {
    '6-way': dict(
        hap='happy', sad='sad', neu='neutral', ang='angry', exc='excited', fru='frustrated'
    ),
    '4-way': dict(neu='neutral', hap='happy', exc='happy', ang='angry', sad='sad'),
}
_LONG_NAMES = dict(
    happy='hap', sad='sad', neutral='neu', angry='ang', excited='exc', frustrated='fru',
    happiness='hap', sadness='sad', anger='ang', excitement='exc', frustration='fru',
)  # fmt: skip


class Utterance(NamedTuple):
    """A turn of a dialogue.

    Attributes:
        id: ``Ses01F_impro01_F000``.
        start: Seconds of the dialogue.
        end: Seconds of the dialogue.
        label: As in EmoEvaluation: ``neu``, ``hap``, ``xxx``, ...
    """

    id: str
    start: float
    end: float
    label: str

    @property
    def session(self) -> int:
        """1 to 5."""
        return int(self.id[3:5])

    @property
    def dialogue(self) -> str:
        """``Ses01F_impro01``."""
        return self.id.rpartition('_')[0]


def read_evaluation(path: str | Path) -> list[Utterance]:
    """Turns of a file of ``dialog/EmoEvaluation``: ``[6.2901 - 8.2357]<tab>id<tab>neu<tab>[...]``.

    Other lines that begin with a bracket are reported.
    """
    text = Path(path).read_text(encoding='utf-8', errors='replace')
    turns = []
    for number, line in enumerate(text.split('\n'), start=1):
        if not line.startswith('['):
            continue
        found = _TURN.match(line)
        turn = found and Utterance(
            found['id'], float(found['start']), float(found['end']), found['label']
        )
        if turn and turn.start < turn.end:
            turns.append(turn)
        else:
            print_log(
                f'{path}, line {number}: {shown(line)} is no turn and left out; it has to read '
                '"[6.2901 - 8.2357]<tab>Ses01F_impro01_F000<tab>neu<tab>..."',
                logger='current',
                level=logging.WARNING,
            )
    return turns


def read_transcription(path: str | Path) -> dict[str, str]:
    """What is said in each turn of a file of ``dialog/transcriptions``: ``id [006.29-008.23]: text``."""
    text = Path(path).read_text(encoding='utf-8', errors='replace')
    return {said['id']: said['text'].strip() for said in map(_SAID.match, text.split('\n')) if said}


def read_id_list(path: str | Path, split: str) -> list[tuple[str, str]]:
    """Utterances and labels of a list.

    Args:
        path: ``.json``: ``{"items": [{"id", "label", "split"}, ...]}``; ``.jsonl``: one object a line
            with ``id`` or ``key`` (``iemocap-Ses...``), ``label`` or ``emo``, ``split`` if it holds
            several.
        split: ``train`` or ``test``.

    Returns:
        (utterance id, label as in EmoEvaluation).

    Raises:
        ValueError: Naming file, item, field and remedy.
    """
    path = Path(path)
    chosen = []
    for where, item in _list_items(path):
        content = item if isinstance(item, dict) else {}
        name = str(content.get('id') or content.get('key') or '').removeprefix('iemocap-')
        label = str(content.get('label') or content.get('emo') or '').lower()
        label = _LONG_NAMES.get(label, label)
        if not re.fullmatch(r'Ses0[1-5][FM]_\w+_[FM]\w+', name, re.ASCII) or not label:
            raise ValueError(
                f'{where}: {shown(item)} needs an "id" such as Ses01F_impro01_F000 and a "label" such '
                'as neu'
            )
        if content.get('split', split) == split:
            chosen.append((name, label))
    return chosen


def _list_items(path: Path) -> Iterator[tuple[str, object]]:
    """Items of a list and their place, for messages."""
    if path.suffix == '.jsonl':
        for number, line in read_lines(path):
            where = f'{path}, line {number}'
            yield where, parse_json(line, where)
        return
    content = parse_json(read_text(path), str(path))
    items = content.get('items') if isinstance(content, dict) else None
    if not isinstance(items, list):
        raise ValueError(
            f'{path}: no list "items": give {{"items": [{{"id": ..., "label": ...}}]}}'
        )
    for number, item in enumerate(items, start=1):
        yield f'{path}, item {number}', item


@DATASETS.register_module()
class IEMOCAP(AffectiveDataset):
    """Utterances, cut out of the dialogues' videos by time; their words are the transcription's.

    Presets: ``'6-way'`` (happy, sad, neutral, angry, excited, frustrated) and ``'4-way'`` (neutral,
    happy with excited, angry, sad). Utterances of other labels are left out and counted.

    Without ``ann_file`` labels come from EmoEvaluation, and ``test_session`` is held out (leave one
    session out). With it, the list names utterances, labels and split (see :func:`read_id_list`), and
    EmoEvaluation gives the times only.

    Args:
        split: ``train`` or ``test``.
        test_session: 1 to 5.
        crop_speaker: Show only the speaker's half of the picture: both actors stand side by side.
        marked_side: Half of the actor who wears the markers, whom the dialogue's name names
            (``Ses01F_...``: the woman). Look at your copy with ``tools/analysis/browse_dataset.py``.
        kwargs: See :class:`AffectiveDataset`.

    Raises:
        ValueError: For an option out of range.
    """

    PRESETS = {
        '6-way': dict(
            classes=['happy', 'sad', 'neutral', 'angry', 'excited', 'frustrated'],
            polarity=[1, -1, 0, -1, 1, -1],
            mood_table=dict(
                joy='happy',
                calmness='happy',
                pleasantness='happy',
                eagerness='excited',
                sadness='sad',
                anger='angry',
                disgust='frustrated',
            ),
        ),
        '4-way': dict(
            classes=['neutral', 'happy', 'angry', 'sad'],
            polarity=[0, 1, -1, -1],
            mood_table=dict(
                joy='happy',
                calmness='happy',
                pleasantness='happy',
                eagerness='happy',
                sadness='sad',
                anger='angry',
            ),
        ),
    }
    METAINFO = PRESETS['6-way']
    EXPECTED_TREE = """{root}/
  Session1/ ... Session5/
    dialog/EmoEvaluation/Ses01F_impro01.txt
    dialog/transcriptions/Ses01F_impro01.txt
    dialog/avi/DivX/Ses01F_impro01.avi       (or .mp4)"""
    PREPARE_COMMAND = (
        'tools/data/iemocap/README.md says how to get it; or plant a data set of the same layout: '
        'mart-mm plant --layout iemocap --out {root}'
    )

    def __init__(
        self,
        *,
        split: str,
        test_session: int = 5,
        crop_speaker: bool = False,
        marked_side: str = 'left',
        preset: str | None = None,
        **kwargs: object,
    ) -> None:
        for name, value, valid in (
            ('split', split, SPLITS),
            ('test_session', test_session, SESSIONS),
            ('marked_side', marked_side, SIDES),
        ):
            if value not in valid:
                raise ValueError(f'IEMOCAP: {name}={value!r}: choose one of {valid}')
        self.split, self.test_session = split, test_session
        self.crop_speaker, self.marked_side = crop_speaker, marked_side
        self._class_of = _CLASS_OF.get(preset or '6-way', {})
        super().__init__(preset=preset, **kwargs)

    @property
    def SPLIT_RULE(self) -> str:  # noqa: N802  a constant in the other data sets
        """Of this instance."""
        if self.ann_file:
            return f'{self.split} of the list'
        held = f'session {self.test_session} is held out for testing'
        return f'{held}, this is {self.split}'

    def _required(self) -> list[Path]:
        return [Path(self.data_root), *([Path(self.ann_file)] if self.ann_file else [])]

    def read_annotations(self) -> list[dict]:
        """One record per utterance of the split.

        Raises:
            FileNotFoundError: When there is no EmoEvaluation file.
            ValueError: When a listed utterance is in none of them.
        """
        turns = {
            turn.id: turn for path in self._files('EmoEvaluation') for turn in read_evaluation(path)
        }
        if not turns:
            raise FileNotFoundError(
                f'IEMOCAP: no utterance in {self.data_root}/Session*/dialog/EmoEvaluation/*.txt. '
                f'Expected:\n{self.EXPECTED_TREE.format(root=self.data_root)}\n'
                f'How to get it: {self.PREPARE_COMMAND.format(root=self.data_root)}'
            )
        said: dict[str, str] = {}
        for path in self._files('transcriptions'):
            said |= read_transcription(path)
        records, left_out = [], Counter()
        for turn in self._chosen(turns):
            name = self._class_of.get(turn.label)
            if name is None:
                left_out[turn.label] += 1
                continue
            records.append(self._record(turn, name, said.get(turn.id)))
        if left_out:
            listing = ', '.join(f'{label} {count}' for label, count in sorted(left_out.items()))
            self.say(f'{left_out.total()} utterances of other labels left out: {listing}')
        return records

    def _files(self, kind: str) -> Iterator[Path]:
        for session in SESSIONS:
            folder = Path(self.data_root) / f'Session{session}' / 'dialog' / kind
            # the release holds resource forks of macOS beside the files
            yield from sorted(p for p in folder.glob('*.txt') if not p.name.startswith('._'))

    def _chosen(self, turns: dict[str, Utterance]) -> Iterator[Utterance]:
        """Utterances of the split, with the label that counts."""
        if not self.ann_file:
            is_test = self.split == 'test'
            yield from (t for t in turns.values() if (t.session == self.test_session) == is_test)
            return
        for name, label in read_id_list(self.ann_file, self.split):
            if name not in turns:
                raise ValueError(
                    f'{self.ann_file}: utterance {name} is in no file of '
                    f'{self.data_root}/Session{int(name[3:5])}/dialog/EmoEvaluation; complete the tree'
                )
            yield turns[name]._replace(label=label)

    def _record(self, turn: Utterance, name: str, text: str | None) -> dict:
        session = Path(self.data_root) / f'Session{turn.session}' / 'dialog'
        record = dict(
            video_id=turn.id,
            media=turn.dialogue,
            video_path=self.find_video(session / 'avi' / 'DivX', turn.dialogue),
            start=turn.start,
            end=turn.end,
            gt_emotion=self.class_index(name, turn.id),
            lines=[(turn.start, turn.end, text)] if text else [],
        )
        if self.crop_speaker:
            # Ses01F_impro01_M003: the woman wears the markers, the man speaks
            is_marked = turn.id[5] == turn.id.rpartition('_')[2][0]
            on_left = is_marked == (self.marked_side == 'left')
            record['crop'] = (0.0, 0.0, 0.5, 1.0) if on_left else (0.5, 0.0, 1.0, 1.0)
        return record
