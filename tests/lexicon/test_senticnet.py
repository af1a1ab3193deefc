from __future__ import annotations

import hashlib
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from mart_mm.lexicon.affect import AFFECT_DIMS, AXES, MOODS, affect_vector
from mart_mm.lexicon.base import normalise_concept
from mart_mm.lexicon.senticnet import (
    SENTICS_5,
    SENTICS_6,
    SenticNet5Lexicon,
    SenticNet6Lexicon,
    entry_from_row,
)
from mart_mm.registry import LEXICONS


def test_golden_entries_of_senticnet6() -> None:
    lexicon = LEXICONS.build(dict(type='SenticNet6Lexicon'))
    birthday = lexicon.lookup('happy_birthday')
    assert birthday == (
        'happy birthday',
        1,
        0.904,
        ('joy', 'calmness'),
        {'joy': 0.994, 'calmness': 0.93, 'eagerness': 0.789},
    )
    angry = lexicon.lookup('angry')
    assert (angry.polarity, angry.value) == (-1, -0.64)
    assert angry.moods == ('sadness', 'disgust')
    assert angry.degrees == {'sadness': 0.98, 'fear': 0.97}  # its secondary mood has no sentic
    assert lexicon.lookup('no such concept') is None


def test_every_row_of_senticnet6_agrees_with_the_package() -> None:
    raw = pytest.importorskip('senticnet.senticnet6').senticnet
    lexicon = SenticNet6Lexicon()
    spellings = Counter(normalise_concept(key) for key in raw)
    assert len(lexicon) == len(spellings) > 199_000
    for key in list(raw)[::97]:
        if spellings[normalise_concept(key)] > 1:  # 'self-indulgent' and 'self_indulgent'
            continue
        row, entry = raw[key], lexicon.lookup(key)
        assert entry.polarity == (1 if row[6] == 'positive' else -1)
        assert entry.value == float(row[7])
        assert [f'#{mood}' for mood in entry.moods] == list(dict.fromkeys(row[4:6]))
        assert entry.degrees[entry.moods[0]] > 0 or entry.value == 0
        signed = [entry.degrees.get(up, 0) - entry.degrees.get(down, 0) for up, down in SENTICS_6]
        for got, text, axis in zip(signed, row[:4], SENTICS_6, strict=True):
            if float(text) or entry.moods[0] not in axis:
                assert got == pytest.approx(float(text))


@pytest.mark.parametrize('spelling', ['ear-to-ear', 'ear_to_ear', 'Ear To  ear', 'ear to ear'])
def test_spellings_of_a_concept(tmp_path: Path, spelling: str) -> None:
    path = tmp_path / 'five.tsv'
    path.write_text('ear-to-ear\t0.5\t0\t0\t0\t#joy\t#joy\tpositive\t0.5\n', encoding='utf-8')
    lexicon = SenticNet5Lexicon(str(path))
    assert lexicon.lookup(spelling).concept == 'ear to ear'
    assert spelling in lexicon


def test_senticnet6_is_the_packed_form_of_the_package() -> None:
    lexicon = SenticNet6Lexicon()
    source = Path(find_spec('senticnet.senticnet6').origin)
    assert lexicon.digest == hashlib.sha256(source.read_bytes()).hexdigest()
    assert lexicon.max_words == 4  # longer ones are not worth the search


def test_sample_of_senticnet5(shared_data: Path) -> None:
    lexicon = SenticNet5Lexicon(str(shared_data / 'senticnet5_sample/senticnet5_en_sample.py'))
    assert len(lexicon) == 34
    little = lexicon.lookup('a_little')
    assert little == (
        'a little',
        -1,
        -0.84,
        ('sadness', 'disgust'),
        {'sadness': 0.99, 'disgust': 0.7},
    )
    noise = lexicon.lookup('a lot of noise')
    assert noise.degrees == {'anger': 0.896, 'disgust': 0.96}
    assert lexicon.lookup('a_little_specific').degrees == {
        'joy': 0.089,
        'interest': 0.133,
        'fear': 0.1,
        'admiration': 0.126,
    }


def test_primary_mood_without_a_sentic_gets_the_polarity_value() -> None:
    row = ['0', '0', '0', '-0.2', '#anger', '#disgust', 'negative', '-0.7', 'x']
    entry = entry_from_row('x', row, SENTICS_6)
    assert entry.degrees == {'fear': 0.2, 'anger': 0.7}


def test_both_forms_of_a_senticnet5_file_agree(tmp_path: Path) -> None:
    row = ['0.1', '0', '-0.2', '0', '#joy', '#fear', 'positive', '0.15', 'this, that', 'it']
    (tmp_path / 'a.py').write_text(f"senticnet = {{}}\nsenticnet['a_b'] = {row}\n")
    (tmp_path / 'a.tsv').write_text('concept\ta\tb\n' + '\t'.join(['a_b', *row]) + '\n')
    quoted = ','.join(f'"{cell}"' for cell in ['a_b', *row])
    (tmp_path / 'a.csv').write_text(f'{quoted}\n\nconcept_art,{",".join(row[:8])}\n')
    entries = [
        SenticNet5Lexicon(str(tmp_path / f'a.{kind}')).lookup('a b')
        for kind in ('py', 'tsv', 'csv')
    ]
    assert entries[0] == entries[1] == entries[2]
    assert entries[0].degrees == {'joy': 0.1, 'fear': 0.2}
    assert 'concept art' in SenticNet5Lexicon(str(tmp_path / 'a.csv'))


def test_a_python_file_is_never_executed(tmp_path: Path) -> None:
    path, trace = tmp_path / 'evil.py', tmp_path / 'trace'
    path.write_text(
        f'open({str(trace)!r}, "w").close()\n'
        "senticnet['a'] = ['0', '0', '0', '0', '#joy', '#joy', 'positive', '0.5']\n"
    )
    assert len(SenticNet5Lexicon(str(path))) == 1
    path.write_text(f'senticnet[open({str(trace)!r}, "w").name] = [open({str(trace)!r}, "w")]\n')
    with pytest.raises(ValueError, match=r'evil\.py, line 1'):
        SenticNet5Lexicon(str(path))
    assert not trace.exists()


@pytest.mark.parametrize(
    ('line', 'message'),
    [
        ("senticnet['a'] = ['0', oops]", 'line 2: not read'),
        ("senticnet['a'] = ['0', '0'", 'line 2: not read'),
        ("senticnet['a'] = ['0', '0']", 'line 2: 2 columns'),
        (
            "senticnet['a'] = ['0', 'x', '0', '0', '#joy', '#joy', 'positive', '0.5']",
            "line 2: field 'interest/surprise' is 'x'",
        ),
        (
            "senticnet['a'] = ['0', '0', '0', '0', '#joy', '#joy', 'positive', '1.5']",
            "line 2: field 'polarity value' is '1.5'",
        ),
        (
            "senticnet['a'] = ['0', '0', '0', '0', '#joy', '#joy', 'good', '0.5']",
            "line 2: field 'polarity' is 'good'",
        ),
    ],
)
def test_errors_name_file_line_and_field(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / 'broken.py'
    path.write_text(f'senticnet = {{}}\n{line}\n')
    with pytest.raises(ValueError, match=r'broken\.py') as error:
        SenticNet5Lexicon(str(path))
    assert message in str(error.value)


def test_missing_or_empty_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match='SenticNet6Lexicon'):
        SenticNet5Lexicon(str(tmp_path / 'none.py'))
    path = tmp_path / 'empty.py'
    path.write_text('senticnet = {}\n')
    with pytest.raises(ValueError, match='holds no row'):
        SenticNet5Lexicon(str(path))
    path.write_bytes(b'\xff\xfe\x00\xd8')
    with pytest.raises(ValueError, match='UTF-8'):
        SenticNet5Lexicon(str(path))


def test_affect_vector() -> None:
    entry = SenticNet6Lexicon().lookup('happy birthday')
    vector = affect_vector(entry)
    assert vector.dtype == np.float32 and vector.shape == (AFFECT_DIMS,)
    np.testing.assert_allclose(vector, [0.904, 0.994, 0.93, 0, 0.789, 0, 0], rtol=1e-6)
    sad = affect_vector(SenticNet6Lexicon().lookup('angry'))
    np.testing.assert_allclose(sad, [-0.64, -0.98, 0, 0, -0.97, 0, 0], rtol=1e-6)


def test_moods_are_those_of_both_versions() -> None:
    ours = {mood for axis in (*SENTICS_5, *SENTICS_6) for mood in axis}
    assert set(MOODS) == ours == {mood for axis in AXES for mood in axis}
    assert len(MOODS) == len(set(MOODS)) == 11
