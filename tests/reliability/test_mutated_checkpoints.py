"""Damaged files of weights are opened in a process with little memory and time."""

from __future__ import annotations

import hashlib
import io
import json
import multiprocessing
import pickle
import pickletools
import random
import resource
import struct
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer

from mart_mm.errors import WeightsError
from mart_mm.weight_files.opening import open_checkpoint
from mart_mm.weight_files.published import write_published

_FORK = multiprocessing.get_context('fork')
_MEMORY = 2 << 30  # bytes beyond what the process has when it starts
_SECONDS = 120  # for one file; against hangs

Mutation = Callable[[bytes, random.Random], bytes]


def content() -> dict:
    """As a run saves it, and as plain MMEngine does."""
    history = HistoryBuffer([3.0, 1.0], [1, 1])
    generator = torch.Generator().manual_seed(0)
    state = {f'layer.{n}.weight': torch.rand(16, 16, generator=generator) for n in range(3)}
    return dict(
        meta=dict(epoch=3, iter=12, seed=0, inference=dict(format=1, classes=['joy', 'fear'])),
        state_dict=state | {'steps': torch.tensor(3), 'half': torch.zeros(4, dtype=torch.bfloat16)},
        optimizer=dict(state={0: dict(step=torch.tensor(3.0), exp_avg=torch.ones(16))}),
        message_hub=dict(log_scalars=dict(loss=history), runtime_info=dict(best=np.float64(0.5))),
    )


def flip_bit(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    changed[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def truncate(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))]


def cut_out(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data))
    return data[:start] + data[start + rng.randrange(1, 200) :]


def scribble(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data))
    junk = rng.randbytes(rng.randrange(1, 64))
    return data[:start] + junk + data[start + len(junk) :]


def _rezip(data: bytes, change: Callable[[dict[str, bytes]], None]) -> bytes:
    """The archive with other members, whole again: its checksums are right."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w') as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return out.getvalue()


def swap_members(data: bytes, rng: random.Random) -> bytes:
    def change(members: dict[str, bytes]) -> None:
        a, b = rng.sample(sorted(members), 2)
        members[a], members[b] = members[b], members[a]

    return _rezip(data, change)


def drop_member(data: bytes, rng: random.Random) -> bytes:
    return _rezip(data, lambda members: members.pop(rng.choice(sorted(members))))


def _edit_pickle(data: bytes, edit: Callable[[bytes], bytes]) -> bytes:
    def change(members: dict[str, bytes]) -> None:
        (name,) = (name for name in members if name.endswith('/data.pkl'))
        members[name] = edit(members[name])

    return _rezip(data, change)


def edit_operation(data: bytes, rng: random.Random) -> bytes:
    """Another operation in the place of one of the pickle's."""

    def edit(content: bytes) -> bytes:
        places = [place for _, _, place in pickletools.genops(content)]
        changed = bytearray(content)
        changed[rng.choice(places)] = ord(rng.choice(pickletools.opcodes).code)
        return bytes(changed)

    return _edit_pickle(data, edit)


def edit_argument(data: bytes, rng: random.Random) -> bytes:
    """Other bytes in the pickle: sizes, names, places."""
    return _edit_pickle(data, lambda content: scribble(content, rng))


def insert_code(data: bytes, rng: random.Random) -> bytes:
    """A call put before one of the pickle's operations, its result dropped."""
    calls = (
        b'cos\nsystem\n(X\x09\x00\x00\x00touch rantR0',
        b"cbuiltins\neval\n(X\x10\x00\x00\x00open('ran', 'w')tR0",
        b"cbuiltins\nexec\n(X\x10\x00\x00\x00open('ran', 'w')tR0",
        b'csubprocess\nPopen\n(](X\x05\x00\x00\x00touchX\x03\x00\x00\x00ranetR0',
        b'cbuiltins\nbytearray\n(J\xff\xff\xff\x7ftR0',
        b'ctorch\nFloatTensor\n(J\xff\xff\xff\x7ftR0',
        b'cbuiltins\n__import__\n(X\x0b\x00\x00\x00antigravitytR0',
    )

    def edit(content: bytes) -> bytes:
        place = rng.choice([place for _, _, place in pickletools.genops(content)][1:])
        return content[:place] + rng.choice(calls) + content[place:]

    return _edit_pickle(data, edit)


def prepend_code(data: bytes, rng: random.Random) -> bytes:
    """A pickle with code in the place of the archive, or before it."""
    call = b'cos\nsystem\n(X\x09\x00\x00\x00touch rantR.'
    return rng.choice((call, b'\x80\x02' + call, pickle.dumps(1) + call)) + rng.choice((b'', data))


def edit_header(data: bytes, rng: random.Random) -> bytes:
    """Another number or word in the header of a safetensors file, its length corrected or not."""
    (length,) = struct.unpack_from('<Q', data)
    header = json.loads(data[8 : 8 + length])
    name = rng.choice([key for key in header if key != '__metadata__'])
    entry = rng.choice((
        dict(dtype=rng.choice(['F64', 'I4', 'U8', 'XX', 3])),
        dict(shape=rng.choice([[1 << 62, 1 << 62], [-1], [1 << 40], 'a', []])),
        dict(data_offsets=rng.choice([[0, 1 << 60], [9, 1], [-4, 0], [0], None])),
    ))  # fmt: skip
    header[name] |= entry
    text = json.dumps(header).encode()
    length = rng.choice((len(text), len(text), 1 << 62, 3))
    return struct.pack('<Q', length) + text + data[8 + struct.unpack_from('<Q', data)[0] :]


ANY = (flip_bit, truncate, cut_out, scribble)
ARCHIVE = (swap_members, drop_member, edit_operation, edit_argument, insert_code, prepend_code)


#: the documented refusals, by a part of their messages
REFUSALS = (
    'its name says that its SHA-256',
    'could run code',
    'damaged or no safetensors file',
    'damaged or not whole',
    'is damaged',
    'compressed',
)


def same(a: object, b: object) -> bool:
    if isinstance(a, torch.Tensor):
        return isinstance(b, torch.Tensor) and a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, HistoryBuffer):
        return isinstance(b, HistoryBuffer) and str(a.data) == str(b.data)
    return a == b


def _outcome(path: Path, original: object) -> str:
    """What became of a file; a changed one that opens is told from one that opens as it was."""
    try:
        opened = open_checkpoint(path, 'cpu')
    except WeightsError as error:
        assert path.name in str(error)
        (told, *_) = (words for words in REFUSALS if words in str(error))
        return f'refused: {told}'
    if original is None:
        return 'opened'
    return 'opened as it was' if same(opened, original) else 'opened, other values'


def _work(jobs: list, original: object, folder: Path, send: object) -> None:
    import os

    os.chdir(folder)
    used = int(Path('/proc/self/statm').read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + _MEMORY, used + _MEMORY))
    for number, (mutation, data, name) in enumerate(jobs):
        send.send((number, 'begun'))
        path = folder / name
        path.write_bytes(mutation(data, random.Random(number)))
        try:
            send.send((number, _outcome(path, original)))
        except BaseException:
            send.send((number, traceback.format_exc()))
            raise
        path.unlink()


def run(jobs: list, original: object, folder: Path) -> Counter:
    """Open each job's file in another process.

    Raises:
        AssertionError: When the process dies, hangs, or meets an error that is not documented.
    """
    receive, send = _FORK.Pipe(duplex=False)
    process = _FORK.Process(target=_work, args=(jobs, original, folder, send))
    process.start()
    send.close()
    outcomes: Counter = Counter()
    number = -1
    try:
        while sum(outcomes.values()) < len(jobs):
            what = jobs[max(number, 0)][0].__name__
            assert receive.poll(_SECONDS), f'{what} (number {number}) hangs'
            number, outcome = receive.recv()
            assert 'Traceback' not in outcome, f'{what} (number {number}): {outcome}'
            if outcome != 'begun':
                outcomes[outcome] += 1
    except EOFError:
        what = jobs[max(number, 0)][0].__name__
        pytest.fail(f'{what} (number {number}) ended the process')
    finally:
        process.kill()
        process.join()
    assert not (folder / 'ran').exists(), 'code was run'
    return outcomes


@pytest.fixture
def checkpoints(tmp_path: Path, harmful: SimpleNamespace) -> list:
    """What is mutated: as torch saves it now, as it did before 1.6, and published weights."""
    published = write_published(content()['state_dict'], content()['meta'], tmp_path / 'a')
    return [
        ('zip', harmful.archive(content()), (*ANY, *ARCHIVE), 'a.pth'),
        (
            'old format',
            harmful.archive(content(), _use_new_zipfile_serialization=False),
            ANY,
            'a.pth',
        ),
        ('published', published.read_bytes(), ANY, published.name),
        ('safetensors', published.read_bytes(), (*ANY, edit_header), 'a.safetensors'),
    ]


def test_mutated_files_are_refused_or_harmless(
    checkpoints: list,
    tmp_path: Path,
    count: Callable[[int, int], int],
    tell: Callable[[str], None],
) -> None:
    kinds = [(m, data, name) for _, data, mutations, name in checkpoints for m in mutations]
    jobs = [kinds[number % len(kinds)] for number in range(count(2 * len(kinds), 2000))]
    outcomes = run(jobs, None, tmp_path)
    assert sum(outcomes.values()) == len(jobs)
    tell(f'{len(jobs)} mutated files: ' + '; '.join(f'{n} {k}' for k, n in outcomes.most_common()))


def test_a_changed_byte_is_noticed_or_changes_nothing(
    checkpoints: list,
    tmp_path: Path,
    count: Callable[[int, int], int],
    tell: Callable[[str], None],
) -> None:
    """Of archives and published weights; neither the old format nor a bare safetensors has checksums."""
    for kind, data, _, name in (checkpoints[0], checkpoints[2]):
        (tmp_path / name).write_bytes(data)
        original = open_checkpoint(tmp_path / name, 'cpu')
        jobs = [(mutation, data, name) for mutation in (flip_bit, scribble)] * count(20, 250)
        outcomes = run(jobs, original, tmp_path)
        assert outcomes['opened, other values'] == 0, outcomes
        assert sum(n for what, n in outcomes.items() if what.startswith('refused')) > len(jobs) / 4
        tell(f'{kind}: {dict(outcomes)}')


def test_the_hash_in_a_name_is_of_the_file(checkpoints: list) -> None:
    _, data, _, name = checkpoints[2]
    assert name == f'a-{hashlib.sha256(data).hexdigest()[:8]}.safetensors'
