"""IEMOCAP: of the full release, what the data set reads."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from mart_mm.datasets.iemocap import SESSIONS, SPLITS, read_evaluation, read_id_list
from mart_mm.preparation.discovery import find_videos, stem
from mart_mm.preparation.plan import Medium, Plan, PreparationError

_SIX = ('hap', 'sad', 'neu', 'ang', 'exc', 'fru')
_TEXTS = ('EmoEvaluation', 'transcriptions')
_VIDEOS = ('avi', 'DivX')


def plan(source: Path, lists: Path | None) -> Plan:
    """Evaluations, transcriptions and videos of the five sessions' dialogues.

    Args:
        source: ``IEMOCAP_full_release``, or a folder at most two levels above it.
        lists: Folder of lists of utterances, see :func:`~mart_mm.datasets.iemocap.read_id_list`.

    Raises:
        PreparationError: For a list that cannot be read.
    """
    plan = Plan(folders=('annotations', *(f'Session{number}' for number in SESSIONS)))
    totals: Counter[str] = Counter()
    for number in SESSIONS:
        folder = _find_session(source, number)
        if folder is None:
            plan.lacking.append(f'Session{number}: no folder Session{number}/dialog below {source}')
            continue
        totals += _add_session(plan, folder, f'Session{number}/dialog', source)
    six = sum(totals[label] for label in _SIX)
    plan.notes.append(f'all sessions: {totals.total()} utterances, {six} of the six classes')
    _add_lists(plan, lists)
    return plan


def _find_session(source: Path, number: int) -> Path | None:
    for above in ('', '*/', '*/*/'):
        for folder in sorted(source.glob(f'{above}Session{number}/dialog')):
            if (folder / _TEXTS[0]).is_dir():
                return folder
    return None


def _texts(folder: Path) -> list[Path]:
    # the release holds resource forks of macOS, ._Ses01F_impro01.txt, beside the files
    return sorted(path for path in folder.glob('*.txt') if not path.name.startswith('.'))


def _add_session(plan: Plan, folder: Path, target: str, source: Path) -> Counter[str]:
    """Labels of the session's utterances, by number."""
    labels: Counter[str] = Counter()
    dialogues = set()
    for path in _texts(folder / 'EmoEvaluation'):
        turns = read_evaluation(path)
        labels.update(turn.label for turn in turns)
        dialogues |= {turn.dialogue for turn in turns}
    transcribed = {path.stem for path in _texts(folder / 'transcriptions')}
    for kind in _TEXTS:
        for path in _texts(folder / kind):
            plan.annotations[f'{target}/{kind}/{path.name}'] = path.read_bytes()
    below = folder.joinpath(_VIDEOS[0])
    videos = {stem(path): path for path in reversed(find_videos(below))}
    for name in sorted(dialogues):
        place = '/'.join([target, *_VIDEOS, name])
        if name in videos:
            plan.media.append(Medium(videos.pop(name), place))
        else:
            plan.missing[place] = f'no video of this name below {below}'
    plan.unused += [str(path.relative_to(source)) for path in videos.values()]
    listing = ', '.join(f'{label} {count}' for label, count in sorted(labels.items()))
    plan.notes.append(
        f'{target.partition("/")[0]}: {len(dialogues)} dialogues, {labels.total()} utterances: '
        f'{listing}'
    )
    silent = sorted(dialogues - transcribed)
    if silent:
        plan.notes.append(f'{len(silent)} dialogues without transcription, such as {silent[0]}')
    return labels


def _add_lists(plan: Plan, lists: Path | None) -> None:
    if lists is None:
        return
    found = sorted(path for path in lists.iterdir() if path.suffix in ('.json', '.jsonl'))
    if not found:
        raise PreparationError(f'--lists {lists} holds no .json or .jsonl file')
    for path in found:
        try:
            counts = [f'{split} {len(read_id_list(path, split))}' for split in SPLITS]
        except ValueError as error:
            raise PreparationError(str(error)) from error
        plan.annotations[f'annotations/{path.name}'] = path.read_bytes()
        plan.notes.append(f'{path.name}: {", ".join(counts)}')
