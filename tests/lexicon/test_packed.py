from __future__ import annotations

import json
import multiprocessing
import os
import pwd
import tempfile
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mart_mm.lexicon import base, concept_tree, file_lexicon, packed
from mart_mm.lexicon.base import LexiconEntry
from mart_mm.lexicon.file_lexicon import FileLexicon
from mart_mm.lexicon.packed import BadPackError, Pack, cache_folder, pack
from mart_mm.utils.code_version import code_version

MOODS = st.sampled_from(['joy', 'fear', 'Überraschung'])
UNIT = st.floats(0, 1)


@st.composite
def entries(draw: st.DrawFn) -> dict[str, LexiconEntry]:
    names = draw(st.lists(st.text('abé ', min_size=1, max_size=8), unique=True, max_size=12))
    return {
        name: LexiconEntry(
            name,
            draw(st.sampled_from([-1, 0, 1])),
            draw(st.floats(-1, 1)),
            tuple(draw(st.lists(MOODS, unique=True))),
            draw(st.dictionaries(MOODS, UNIT)),
        )
        for name in names
    }


@settings(deadline=None)
@given(entries=entries())
def test_nothing_is_lost(entries: dict[str, LexiconEntry]) -> None:
    found = Pack(pack(entries, dict(digest='x')))
    assert found.about == dict(digest='x')
    assert list(found.tree) == list(entries)
    for name, entry in entries.items():
        read = found.entry(found.tree.after(0, found.tree.path(name)))
        assert read == entry and list(read.degrees) == list(entry.degrees)
        assert type(read.value) is float


def write(path: Path, *concepts: str) -> str:
    rows = [dict(concept=c, polarity='positive', value=0.5, moods=['joy']) for c in concepts]
    path.write_text(json.dumps(rows), encoding='utf-8')
    return str(path)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Sources that were read, in order."""
    seen, read = [], file_lexicon._read
    monkeypatch.setattr(
        file_lexicon, '_read', lambda source: (seen.append(source), read(source))[1]
    )
    return seen


def test_a_source_is_read_once(tmp_path: Path, reads: list[Path]) -> None:
    source, folder = write(tmp_path / 'a.json', 'Big_Smile', 'table'), str(tmp_path / 'cache')
    lexicons = [FileLexicon(source, folder) for _ in range(3)]
    assert len(reads) == 1
    assert lexicons[0].path == lexicons[2].path
    assert [path.name for path in (tmp_path / 'cache/lexicons').iterdir()] == [
        lexicons[0].path.name
    ]
    assert all(list(lexicon) == ['big smile', 'table'] for lexicon in lexicons)
    FileLexicon(source, str(tmp_path / 'other'))
    assert len(reads) == 2


def test_a_changed_source_is_read_again(tmp_path: Path, reads: list[Path]) -> None:
    source, folder = write(tmp_path / 'a.json', 'one'), str(tmp_path / 'cache')
    status = os.stat(source)
    assert 'one' in FileLexicon(source, folder)
    write(tmp_path / 'a.json', 'two')  # as long, and with the same time of change
    os.utime(source, ns=(status.st_atime_ns, status.st_mtime_ns))
    changed = FileLexicon(source, folder)
    assert 'two' in changed and 'one' not in changed and len(reads) == 2


def test_a_large_source_is_known_by_size_and_time(
    tmp_path: Path, reads: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, folder = write(tmp_path / 'a.json', 'one'), str(tmp_path / 'cache')
    first = FileLexicon(source, folder)
    monkeypatch.setattr(packed, '_ALWAYS_HASHED', 0)
    monkeypatch.setattr(packed, '_digest', lambda source: pytest.fail('hashed'))
    assert FileLexicon(source, folder).digest == first.digest
    monkeypatch.undo()
    monkeypatch.setattr(packed, '_ALWAYS_HASHED', 0)
    os.utime(source, ns=(0, 10**9))
    assert FileLexicon(source, folder).digest == first.digest
    assert first._pack.about['source'] != FileLexicon(source, folder)._pack.about['source']


@pytest.mark.parametrize('part', [base, concept_tree, file_lexicon, packed])
def test_changed_code_reads_again(
    tmp_path: Path, reads: list[Path], monkeypatch: pytest.MonkeyPatch, part: ModuleType
) -> None:
    source, folder = write(tmp_path / 'a.json', 'one'), str(tmp_path / 'cache')
    FileLexicon(source, folder)
    changed = tmp_path / 'changed.py'
    changed.write_bytes(Path(part.__file__).read_bytes() + b'\n# mended')
    code_version.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(part, '__file__', str(changed))
        for _ in range(2):
            assert FileLexicon(source, folder).lookup('one').value == 0.5
    code_version.cache_clear()
    assert len(reads) == 2


@pytest.mark.parametrize(
    'damage',
    [
        lambda content: b'',
        lambda content: b'PNG\r\n',
        lambda content: b'x' * len(content),
        lambda content: content[:-1],
        lambda content: content + b'\0',
        lambda content: content[:40] + bytes([content[40] ^ 1]) + content[41:],
        lambda content: content[:-20] + bytes([content[-20] ^ 1]) + content[-19:],
        lambda content: content[:9] + b'\xff' + content[10:],
    ],
)
def test_a_damaged_file_is_made_anew(tmp_path: Path, reads: list[Path], damage) -> None:
    source, folder = write(tmp_path / 'a.json', 'one', 'two words'), str(tmp_path / 'cache')
    path = FileLexicon(source, folder).path
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    with pytest.warns(UserWarning, match='packed again'):
        lexicon = FileLexicon(source, folder)
    assert list(lexicon) == ['one', 'two words'] and len(reads) == 2
    assert path.read_bytes() == whole


def test_another_version_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, folder = write(tmp_path / 'a.json', 'one'), str(tmp_path / 'cache')
    path = FileLexicon(source, folder).path
    monkeypatch.setattr(packed, 'FORMAT', packed.FORMAT + 1)
    with pytest.raises(BadPackError, match='version'):
        Pack.open(path)


def test_without_a_place_to_write_it_is_kept_in_memory(tmp_path: Path) -> None:
    source = write(tmp_path / 'a.json', 'one')
    (tmp_path / 'file').write_text('no folder')
    with pytest.warns(UserWarning, match='not kept'):
        lexicon = FileLexicon(source, str(tmp_path / 'file'))
    assert list(lexicon) == ['one'] and lexicon.lookup('One').value == 0.5


def test_the_default_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    assert cache_folder() == tmp_path / 'mart_mm'
    path = FileLexicon(write(tmp_path / 'a.json', 'one')).path
    assert path.is_file() and path.parent == tmp_path / 'mart_mm/lexicons'
    monkeypatch.setenv('XDG_CACHE_HOME', '')
    monkeypatch.setenv('HOME', '/home/someone')
    assert cache_folder() == Path('/home/someone/.cache/mart_mm')


def test_the_default_folder_without_a_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ('XDG_CACHE_HOME', 'HOME'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, 'getpwuid', lambda user: {}[user])  # KeyError
    monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path / 'temporary'))
    with pytest.raises(RuntimeError):
        Path.home()
    assert cache_folder().parent == tmp_path / 'temporary'
    lexicon = FileLexicon(write(tmp_path / 'a.json', 'one'))
    assert lexicon.path.is_file() and lexicon.path.parent == cache_folder() / 'lexicons'


def test_processes_that_start_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parent)  # the processes import it from there
    from lexicon_process import words_found

    source, folder = write(tmp_path / 'a.json', 'big smile', 'cry'), str(tmp_path / 'cache')
    arguments = (source, folder, 'A big smile, crying')
    with multiprocessing.get_context('spawn').Pool(2) as pool:
        found = pool.starmap_async(words_found, [arguments] * 8, chunksize=1).get(timeout=300)
    assert found == [['big smile', 'crying']] * 8
    assert len(list((tmp_path / 'cache/lexicons').iterdir())) == 1
