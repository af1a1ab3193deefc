from __future__ import annotations

import multiprocessing
import os
import signal
import time
from multiprocessing.synchronize import Event
from pathlib import Path

import numpy as np
import pytest

from mart_mm.datasets.cache import (
    BadEntryError,
    FileCache,
    cache_key,
    file_identity,
)


def value(number: int, rows: int = 300) -> np.ndarray:
    return np.random.default_rng(number).random((rows, 8), dtype=np.float32)


def key_of(number: int) -> str:
    return cache_key('test', number=number)


def put(cache: FileCache, number: int, rows: int = 300) -> None:
    cache.store(key_of(number), dict(number=number), value(number, rows))


def is_whole(cache: FileCache, number: int, rows: int = 300) -> bool:
    """Whether the entry is there and right; a wrong one fails the test."""
    entry = cache.load(key_of(number))
    if entry is None:
        return False
    with entry:
        assert entry.info == dict(number=number)
        np.testing.assert_array_equal(entry.rows(0, entry.shape[0]), value(number, rows))
    return True


def files(cache: FileCache) -> list[Path]:
    return [path for path in cache.folder.rglob('*') if path.is_file()]


def size(cache: FileCache) -> int:
    return sum(path.stat().st_size for path in files(cache))


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    cache = FileCache(str(tmp_path / 'c'))
    assert cache.load(key_of(0)) is None
    put(cache, 0)
    cache.store(key_of(1), dict(texts=['Ünï', ''], nested=[[1, 2.5, None]]))
    other = FileCache(str(tmp_path / 'c'))  # another run
    with other.load(key_of(0)) as entry:
        assert entry.info == dict(number=0) and entry.shape == (300, 8)
        for start, stop in ((0, 300), (0, 1), (299, 300), (63, 65), (64, 128), (100, 290), (5, 5)):
            part = entry.rows(start, stop)
            assert part.dtype == np.float32 and part.shape == (stop - start, 8)
            np.testing.assert_array_equal(part, value(0)[start:stop])
    with other.load(key_of(1)) as entry:
        assert entry.shape is None
        assert entry.info == dict(texts=['Ünï', ''], nested=[[1, 2.5, None]])


def test_a_part_is_read_without_the_rest(tmp_path: Path) -> None:
    """A damaged end of the file does not matter to who reads the beginning."""
    cache = FileCache(str(tmp_path))
    put(cache, 0)
    (path,) = files(cache)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with cache.load(key_of(0)) as entry:
        np.testing.assert_array_equal(entry.rows(0, 256), value(0)[:256])
        assert path.exists()
        with pytest.raises(BadEntryError):
            entry.rows(250, 260)
    assert not path.exists() and cache.load(key_of(0)) is None


def test_damage_anywhere_is_seen_and_removed(tmp_path: Path) -> None:
    cache = FileCache(str(tmp_path))
    put(cache, 0, rows=3)
    (path,) = files(cache)
    whole = path.read_bytes()
    damaged = [whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :] for at in range(len(whole))]
    damaged += [whole[:length] for length in range(0, len(whole), 7)]
    damaged += [whole + b'\0', bytes(len(whole))]
    for content in damaged:
        path.write_bytes(content)
        entry = cache.load(key_of(0))
        if entry is not None:
            with entry, pytest.raises(BadEntryError):
                entry.rows(0, 3)
        assert not path.exists()
    path.write_bytes(whole)
    assert is_whole(cache, 0, rows=3)


def test_an_entry_in_the_place_of_another_is_refused(tmp_path: Path) -> None:
    cache = FileCache(str(tmp_path))
    put(cache, 0)
    (path,) = files(cache)
    wrong = cache._path(key_of(1))
    wrong.parent.mkdir(exist_ok=True)
    path.rename(wrong)
    assert cache.load(key_of(1)) is None


ENTRIES, ROWS = 6, 20_000  # 640 kB each


def _fill(folder: str, seed: int, is_filling: Event, endless: bool) -> None:
    cache, rng = FileCache(folder), np.random.default_rng(seed)
    arrays = [value(number, ROWS) for number in range(ENTRIES)]
    is_filling.set()
    while True:
        for number in rng.permutation(ENTRIES).tolist():
            cache.store(key_of(number), dict(number=number), arrays[number])
            assert endless or is_whole(cache, number, ROWS)  # whoever wrote it
        if not endless:
            return


def stop_in_an_entry(pid: int, cache: FileCache, known: int) -> None:
    """Halt a writer at a moment when it has begun an entry, beside the ``known`` unfinished ones."""
    for _ in range(10_000):
        os.kill(pid, signal.SIGSTOP)
        time.sleep(0.001)
        if sum(path.name.startswith('.') for path in files(cache)) > known:
            return
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.002)
    raise AssertionError('the writer never began an entry')


def test_killed_writers_leave_no_bad_entry(tmp_path: Path) -> None:
    """Two processes fill one cache; one of them is killed on the way, again and again."""
    context = multiprocessing.get_context('fork')
    cache, rng = FileCache(str(tmp_path)), np.random.default_rng(0)
    left: list[Path] = []
    for number in range(13):
        is_filling = context.Event()
        victim = context.Process(target=_fill, args=(str(tmp_path), number, is_filling, True))
        other = context.Process(
            target=_fill, args=(str(tmp_path), 1000 + number, context.Event(), False)
        )
        victim.start(), other.start()
        assert is_filling.wait(30)
        if number < 10:  # anywhere, while the other one writes
            time.sleep(0.02 * rng.random())
        else:  # in the middle of an entry
            other.join()
            stop_in_an_entry(victim.pid, cache, len(left))
        os.kill(victim.pid, signal.SIGKILL)
        victim.join(), other.join()
        assert victim.exitcode == -signal.SIGKILL and other.exitcode == 0
        assert all(is_whole(cache, entry, ROWS) for entry in range(ENTRIES))
        left = [path for path in files(cache) if path.name.startswith('.')]
    assert len(left) >= 3
    assert len(files(cache)) == ENTRIES + len(left)


def test_what_killed_writers_left_is_removed_after_an_hour(tmp_path: Path) -> None:
    cache = FileCache(str(tmp_path))
    put(cache, 0)
    (path,) = files(cache)
    for name, age in (('.old.x.tmp.entry', 4000), ('.young.x.tmp.entry', 100)):
        (path.parent / name).write_bytes(b'part of an entry')
        os.utime(path.parent / name, (time.time() - age,) * 2)
    put(FileCache(str(tmp_path)), 1)
    names = {path.name for path in files(cache)}
    assert '.young.x.tmp.entry' in names and '.old.x.tmp.entry' not in names
    assert len(names) == 3


def test_size_stays_below_the_limit_and_the_least_used_go(tmp_path: Path) -> None:
    put(FileCache(str(tmp_path / 'one')), 0)
    one = size(FileCache(str(tmp_path / 'one')))
    cache = FileCache(str(tmp_path / 'c'), max_bytes=10 * one + one // 2)
    (tmp_path / 'c').mkdir()
    (tmp_path / 'c' / 'notes.txt').write_text('not an entry')
    (tmp_path / 'c' / 'ab').mkdir()
    (tmp_path / 'c' / 'ab' / 'notes.txt').write_text('nor this')
    for number in range(40):
        put(cache, number)
        assert size(cache) <= cache.max_bytes + 100
        now = time.time() + number  # clocks of file systems are coarse
        os.utime(cache._path(key_of(number)), (now, now))
        if number > 3:
            assert is_whole(cache, 3)  # it is in use
            os.utime(cache._path(key_of(3)), (now, now))
    kept = [number for number in range(40) if is_whole(cache, number)]
    assert 8 <= len(kept) <= 10 and kept[0] == 3
    assert kept[1:] == list(range(40 - len(kept) + 1, 40))
    assert (tmp_path / 'c' / 'notes.txt').exists()
    assert (tmp_path / 'c' / 'ab' / 'notes.txt').exists()


def test_reading_marks_as_used(tmp_path: Path) -> None:
    cache = FileCache(str(tmp_path))
    put(cache, 0)
    (path,) = files(cache)
    os.utime(path, (1000, 1000))
    cache.load(key_of(0)).close()
    assert path.stat().st_mtime > time.time() - 60


def _many(folder: str, limit: int, first: int) -> None:
    cache = FileCache(folder, limit)
    for number in range(first, first + 150):
        put(cache, number, 30)
        cache.load(key_of(number - 3))


def test_writers_at_once_keep_the_limit(tmp_path: Path) -> None:
    put(FileCache(str(tmp_path / 'one')), 0, 30)
    one = size(FileCache(str(tmp_path / 'one')))
    limit = 40 * one
    context = multiprocessing.get_context('fork')
    writers = [
        context.Process(target=_many, args=(str(tmp_path / 'c'), limit, 1000 * index))
        for index in range(3)
    ]
    for writer in writers:
        writer.start()
    cache, largest = FileCache(str(tmp_path / 'c'), limit), 0
    while any(writer.is_alive() for writer in writers):
        try:
            largest = max(largest, size(cache))
        except OSError:  # removed between the two looks
            continue
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    # a few entries are on their way at once
    assert limit / 2 < largest <= limit * (1 + 3 / 64) + 6 * one
    assert size(cache) <= limit * (1 + 3 / 64) + 3 * one


def test_an_entry_beyond_the_limit_is_not_kept(tmp_path: Path) -> None:
    cache = FileCache(str(tmp_path), max_bytes=5000)
    with pytest.warns(UserWarning, match='max_bytes=5000'):
        put(cache, 0)
    assert files(cache) == []
    with pytest.raises(ValueError, match='max_bytes=0'):
        FileCache(str(tmp_path), max_bytes=0)


def test_a_folder_that_cannot_be_written_costs_a_warning(tmp_path: Path) -> None:
    (tmp_path / 'c').write_text('a file in the place of the folder')
    cache = FileCache(str(tmp_path / 'c'))
    with pytest.warns(UserWarning, match='are not kept') as caught:
        put(cache, 0)
        put(cache, 1)
    assert len(caught) == 1 and cache.load(key_of(0)) is None


def test_keys_tell_all_parts_apart(tmp_path: Path) -> None:
    parts = [
        dict(a=1),
        dict(a=2),
        dict(b=1),
        dict(a=1.5),
        dict(a='1'),
        dict(a=np.array([1, 2])),
        dict(a=np.array([2, 1])),
        dict(a=[1], b=[]),
        dict(a=[], b=[1]),
    ]
    keys = [cache_key('kind', **part) for part in parts] + [cache_key('other', a=1)]
    assert len(set(keys)) == len(keys)
    assert cache_key('kind', a=1, b=2) == cache_key('kind', b=2, a=1)


def test_identity_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / 'a.bin'
    path.write_bytes(b'one')
    os.utime(path, ns=(0, 10**18))
    first = file_identity(path)
    assert file_identity(str(path)) == first
    (tmp_path / 'link').symlink_to(path)
    assert file_identity(tmp_path / 'link') == first
    os.utime(path, ns=(0, 10**18 + 1000))
    second = file_identity(path)
    path.write_bytes(b'four')
    os.utime(path, ns=(0, 10**18))
    assert len({tuple(identity) for identity in (first, second, file_identity(path))}) == 3
    with pytest.raises(FileNotFoundError):
        file_identity(tmp_path / 'absent')
