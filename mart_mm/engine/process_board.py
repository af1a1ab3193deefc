"""What processes of one run tell each other beside the process group."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import timedelta
from typing import NamedTuple

from torch.distributed import PrefixStore, TCPStore


class Place(NamedTuple):
    """Where a process is.

    Attributes:
        name: In words.
        step: Training steps that it has begun.
        moves: How often it has moved since; by both one sees which process is behind another.
        beats: How often it has written this: while it lives and is reachable, the number grows.
        is_last: The process is through.
    """

    name: str
    step: int = 0
    moves: int = 0
    beats: int = 0
    is_last: bool = False

    def is_behind(self, other: Place) -> bool:
        """Whether another process has come further."""
        return not self.is_last and (self.step, self.moves) < (other.step, other.moves)


class Failure(NamedTuple):
    """Why a run ends.

    Attributes:
        rank: Process that said so.
        reason: In words.
    """

    rank: int
    reason: str


class ProcessBoard:
    """Places and the first failure, in the store through which the processes have met.

    It has a connection of its own, so that a process group that waits in the store is not in its way.
    Not to be shared by threads. Calls wait without limit where the process that keeps the store is
    stopped, so only a thread that nobody waits for may make them.

    Args:
        rank: This process.
        world_size: Number of processes.
        environment: Where the launcher has said ``MASTER_ADDR`` and ``MASTER_PORT``; with torchrun also
            the number of restarts, none of which sees what an earlier one has left.
    """

    def __init__(
        self, rank: int, world_size: int, environment: Mapping[str, str] = os.environ
    ) -> None:
        store = TCPStore(
            environment['MASTER_ADDR'],
            int(environment['MASTER_PORT']),
            is_master=False,
            wait_for_workers=False,
            timeout=timedelta(seconds=30),
        )
        restarts = environment.get('TORCHELASTIC_RESTART_COUNT', '0')
        self._store = PrefixStore(f'mart_mm/{restarts}', store)
        self._places = [f'place/{other}' for other in range(world_size)]
        self._notes = [f'noted/{other}' for other in range(world_size)]
        self._own_place, self._own_note = self._places[rank], self._notes[rank]

    def write_place(self, place: Place) -> None:
        """Say where this process is."""
        self._store.set(self._own_place, json.dumps(place))

    def read_places(self) -> list[Place]:
        """Where the processes are, by rank; empty before each has said so once."""
        if not self._store.check(self._places):
            return []
        return [Place(*json.loads(value)) for value in self._store.multi_get(self._places)]

    def announce(self, failure: Failure) -> Failure:
        """Say why the run ends; of several failures the first one stands, and is returned."""
        first = self._store.compare_set('failure', '', json.dumps(failure))
        return Failure(*json.loads(first))

    def read_failure(self) -> Failure | None:
        """Why the run ends; None while it goes on."""
        if not self._store.check(['failure']):
            return None
        return Failure(*json.loads(self._store.get('failure')))

    def note(self) -> None:
        """Say that this process knows of the failure, and that the log has it, if this is the first."""
        self._store.set(self._own_note, '')

    def is_noted(self, rank: int | None = None) -> bool:
        """Whether a process, or all of them, know of the failure."""
        return self._store.check(self._notes if rank is None else [self._notes[rank]])
