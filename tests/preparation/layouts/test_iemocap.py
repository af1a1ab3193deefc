from __future__ import annotations

import json
from pathlib import Path

import pytest

from mart_mm.datasets.iemocap import IEMOCAP
from mart_mm.preparation.layouts.iemocap import plan
from mart_mm.preparation.plan import PreparationError


def release(root: Path, sessions: tuple[int, ...] = (1, 2, 3, 4, 5)) -> Path:
    """The full release's tree with two dialogues a session, and what is not needed of it."""
    for number in sessions:
        dialog = root / 'IEMOCAP_full_release' / f'Session{number}' / 'dialog'
        for name in ('impro01', 'script01_1'):
            dialogue = f'Ses0{number}F_{name}'
            files = {
                f'EmoEvaluation/{dialogue}.txt': '% [START_TIME - END_TIME] TURN_NAME EMOTION\n\n'
                f'[6.2901 - 8.2357]\t{dialogue}_F000\tneu\t[2.5, 2.5, 2.5]\nC-E2:\tNeutral;\t()\n\n'
                f'[10.01 - 11.39]\t{dialogue}_M000\txxx\t[2.5, 2.5, 2.5]\n',
                f'EmoEvaluation/._{dialogue}.txt': '\0\5\26\7',
                f'EmoEvaluation/Categorical/{dialogue}_e2.txt': f'{dialogue}_F000 :Neutral; ()\n',
                f'transcriptions/{dialogue}.txt': f'{dialogue}_F000 [006.2901-008.2357]: Hi.\n',
                f'transcriptions/._{dialogue}.txt': '\0',
                f'avi/DivX/{dialogue}.avi': '',
                f'avi/DivX/._{dialogue}.avi': '',
                f'wav/{dialogue}.wav': '',
                f'MOCAP_head/{dialogue}.txt': '0',
            }
            for path, content in files.items():
                (dialog / path).parent.mkdir(parents=True, exist_ok=True)
                (dialog / path).write_text(content)
    return root


@pytest.mark.parametrize('below', ['', 'IEMOCAP_full_release'])
def test_what_is_needed_of_the_release(tmp_path, below):
    made = plan(release(tmp_path) / below, None)
    assert len(made.media) == 10 and not made.missing and not made.lacking and not made.unused
    assert made.media[0].target == 'Session1/dialog/avi/DivX/Ses01F_impro01'
    assert len(made.annotations) == 20
    assert all('._' not in name and 'Categorical' not in name for name in made.annotations)
    assert 'Session1: 2 dialogues, 4 utterances: neu 2, xxx 2' in made.notes
    assert 'all sessions: 20 utterances, 10 of the six classes' in made.notes
    out = tmp_path / 'out'
    for name, content in made.annotations.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(content)
    data = IEMOCAP(data_root=str(out), split='test', test_session=2, pipeline=[])
    assert len(data) == 2 and data.get_data_info(0)['lines'] == [(6.2901, 8.2357, 'Hi.')]


def test_gaps_are_said(tmp_path):
    root = release(tmp_path, (1, 3, 4, 5))
    session = root / 'IEMOCAP_full_release' / 'Session1' / 'dialog'
    (session / 'avi/DivX/Ses01F_impro01.avi').rename(session / 'avi/DivX/Ses01M_impro09.avi')
    (session / 'transcriptions/Ses01F_impro01.txt').unlink()
    made = plan(root, None)
    assert len(made.lacking) == 1 and made.lacking[0].startswith('Session2: no folder')
    assert list(made.missing) == ['Session1/dialog/avi/DivX/Ses01F_impro01']
    assert [Path(path).name for path in made.unused] == ['Ses01M_impro09.avi']
    assert '1 dialogues without transcription, such as Ses01F_impro01' in made.notes


def test_lists_are_checked_and_taken_along(tmp_path, shared_data):
    root = release(tmp_path / 'raw', (1,))
    made = plan(root, shared_data / 'annotations' / 'iemocap')
    assert 'labels_6way.json: train 5810, test 1623' in made.notes
    assert 'annotations/labels_6way.json' in made.annotations
    (tmp_path / 'labels.json').write_text(json.dumps(dict(items=[dict(id='x', label='neu')])))
    with pytest.raises(PreparationError, match=r'labels\.json, item 1'):
        plan(root, tmp_path)
    (tmp_path / 'labels.json').unlink()
    with pytest.raises(PreparationError, match=r'holds no \.json'):
        plan(root, tmp_path)
