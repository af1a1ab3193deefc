"""The memory against a dict of rows, written one video after the other."""

import numpy as np
import pytest
import torch

from mart_mm.models.affective.video_memory import VideoMemory
from mart_mm.models.layers.identity import identities

SHAPES = dict(relevance=(2, 5), emotion=(3,))


class PlainMemory:
    """A dict of arrays; the name that came first is forgotten first."""

    def __init__(self, size: int) -> None:
        self.size, self.rows, self.order = size, {}, []

    def write(self, names: list[str], values: dict[str, np.ndarray]) -> None:
        for index, name in enumerate(names):
            if name not in self.rows:
                self.order.append(name)
                if len(self.order) > self.size:
                    del self.rows[self.order.pop(0)]
            self.rows[name] = {key: value[index] for key, value in values.items()}


def numbers(names: list[str]) -> torch.Tensor:
    return identities(names, torch.device('cpu'))


def draw(rng: np.random.Generator, count: int) -> dict[str, np.ndarray]:
    return {k: rng.random((count, *shape), dtype=np.float32) for k, shape in SHAPES.items()}


def assert_equal(memory: VideoMemory, plain: PlainMemory, names: list[str]) -> None:
    values, is_known = memory.read(numbers(names))
    assert is_known.tolist() == [name in plain.rows for name in names]
    for index, name in enumerate(names):
        for key in SHAPES if name in plain.rows else ():
            assert np.array_equal(values[key][index].numpy(), plain.rows[name][key])


@pytest.mark.parametrize('size', [20, 7])
def test_equals_a_dict(size: int) -> None:
    """Also where there are more videos than rows."""
    rng, names = np.random.default_rng(0), [f'video{number}' for number in range(20)]
    memory, plain = VideoMemory(size, SHAPES), PlainMemory(size)
    for start in range(0, 60, 4):
        batch = [names[(start + step) * 7 % 20] for step in range(4)]
        known = [name for name in batch if name in plain.rows]
        values = draw(rng, 4)
        if size < 20 and known and len(known) < 4:
            continue  # a new video may take the row of a known one of its own batch
        memory.write(numbers(batch), {k: torch.from_numpy(v) for k, v in values.items()})
        plain.write(batch, values)
        assert_equal(memory, plain, names)


def test_a_video_twice_in_a_batch_takes_one_row_and_the_last_values() -> None:
    memory, plain = VideoMemory(6, SHAPES), PlainMemory(6)
    rng = np.random.default_rng(1)
    for names in (['a', 'b', 'a'], ['c', 'c', 'b']):
        values = draw(rng, 3)
        memory.write(numbers(names), {k: torch.from_numpy(v) for k, v in values.items()})
        plain.write(names, values)
    assert_equal(memory, plain, ['a', 'b', 'c', 'd'])
    assert int(memory.place) == 3


def test_all_processes_see_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes' batches, each gathering both, leave the same table on both."""
    rng, memories = np.random.default_rng(2), [VideoMemory(8, SHAPES) for _ in range(2)]
    for batches in ((['a', 'b'], ['c', 'd']), (['d', 'e'], ['a', 'd'])):
        values = [{k: torch.from_numpy(v) for k, v in draw(rng, 2).items()} for _ in batches]
        parts = [numbers(list(batch)) for batch in batches]
        answers = [parts, *([v[k] for v in values] for k in SHAPES)]
        for rank, memory in enumerate(memories):
            queue = iter(answers)
            monkeypatch.setattr(
                'mart_mm.models.affective.video_memory.all_gather', lambda _, q=queue: next(q)
            )
            memory.write(parts[rank], values[rank])
    first, second = (memory.state_dict() for memory in memories)
    assert all(torch.equal(first[key], second[key]) for key in first)
    kept, is_known = memories[0].read(numbers(['a', 'd', 'f']))
    assert is_known.tolist() == [True, True, False]
    assert torch.equal(kept['emotion'][:2], values[1]['emotion'])


def test_the_state_is_plain_tensors_and_complete() -> None:
    memory, again = VideoMemory(4, SHAPES), VideoMemory(4, SHAPES)
    values = {k: torch.from_numpy(v) for k, v in draw(np.random.default_rng(3), 2).items()}
    memory.write(numbers(['a', 'b']), values)
    again.load_state_dict(memory.state_dict())
    assert torch.equal(again.read(numbers(['b']))[0]['emotion'][0], values['emotion'][1])
    with pytest.raises(ValueError, match='num_videos'):
        VideoMemory(0, SHAPES)
