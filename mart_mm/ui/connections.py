"""Connections that end when the other side does not go on."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

_FULL = b'too many connections: close some, or try again in a moment'
_REFUSAL = (
    b'HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain\r\nconnection: close\r\n'
    b'content-length: %d\r\n\r\n%b' % (len(_FULL), _FULL)
)


class PatientProtocol(H11Protocol):
    """HTTP/1.1 of uvicorn, with an end to waiting and a bounded number of connections.

    A connection is cut when the head of a request, or what is left of one that is answered already,
    does not come to its end in time, and when what is sent is not taken.

    Args:
        patience: Seconds.
        max_connections: Open at the same time; more are refused with 503.
        **options: What uvicorn gives.
    """

    def __init__(self, *, patience: float, max_connections: int, **options: Any) -> None:
        super().__init__(**options)
        self._patience, self._max_connections = patience, max_connections
        self._until_head: asyncio.TimerHandle | None = None
        self._until_taken: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Wait for the first request."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=0)  # writing pauses while anything is left to send
        self._until_head = self._cut_later()
        if len(self.connections) > self._max_connections:
            transport.write(_REFUSAL)
            transport.close()

    def data_received(self, data: bytes) -> None:
        """Take a piece, and wait for more where it is no whole head."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._until_head = _stop(self._until_head)
        elif self._until_head is None:
            self._until_head = self._cut_later()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no request, or cut the connection where an answer is being sent already."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        else:
            self.transport.abort()

    def pause_writing(self) -> None:
        """Wait until what is sent is taken."""
        super().pause_writing()
        if self._until_taken is None:
            self._until_taken = self._cut_later()

    def resume_writing(self) -> None:
        """Everything was taken."""
        self._until_taken = _stop(self._until_taken)
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._until_head, self._until_taken = _stop(self._until_head), _stop(self._until_taken)
        super().connection_lost(exc)

    def _cut_later(self) -> asyncio.TimerHandle:
        return self.loop.call_later(self._patience, self.transport.abort)


def _stop(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
