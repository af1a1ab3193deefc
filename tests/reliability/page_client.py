"""What an attacker has: sockets that say anything, and eyes on what the server uses."""

from __future__ import annotations

import http.client
import json
import os
import select
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

_SECONDS = 120  # a deadline against hangs


class Answer(NamedTuple):
    """Of the server.

    Attributes:
        status: 0 where the connection was closed without one.
        headers: By their names in small letters.
        body: As far as it came.
    """

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict:
        """The body."""
        return json.loads(self.body)


@dataclass
class Page:
    """A running page.

    Attributes:
        host: Its address.
        port: Its port.
        counts: Answers by their kind, of the attack under way.
        broken: Answers that no request may get.
    """

    host: str
    port: int
    counts: Counter = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def connect(self, **options: int) -> socket.socket:
        """A connection; ``receive`` is the size of its buffer."""
        link = socket.socket()
        link.settimeout(_SECONDS)
        if 'receive' in options:
            link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, options['receive'])
        link.connect((self.host, self.port))
        return link

    def head(self, method: str, target: str, **headers: str) -> bytes:
        """The head of a request; ``_`` of names stands for ``-``."""
        lines = [f'{method} {target} HTTP/1.1']
        given = {'Host': f'{self.host}:{self.port}', 'Connection': 'close'} | headers
        lines += [f'{name.replace("_", "-")}: {value}' for name, value in given.items()]
        return ('\r\n'.join(lines) + '\r\n\r\n').encode('latin-1')

    def ask(self, method: str, target: str, body: bytes = b'', **headers: str) -> Answer:
        """A proper request."""
        length = {'Content-Length': str(len(body))} if body or method == 'POST' else {}
        return self.say(self.head(method, target, **length, **headers), body, method=method)

    def say(self, *pieces: bytes | Iterable[bytes], method: str = 'GET') -> Answer:
        """Send anything, until there is an answer; it is counted."""
        with suppress(OSError), self.connect() as link:
            send(link, pieces)
            return self.note(receive(link, method))
        return self.note(Answer(0, {}, b''))

    def note(self, answer: Answer) -> Answer:
        """Count an answer."""
        status = answer.status
        kind = f'refused {status}' if status >= 400 else f'served {status}' if status else 'closed'
        self.counts[kind] += 1
        if status >= 500 and status not in (503, 507):
            self.broken.append(f'{status}: {answer.body[:200]!r}')
        if any(name.startswith('access-control-') for name in answer.headers):
            self.broken.append(f'other sites may read it: {answer.headers}')
        return answer

    def upload(self, content: bytes, name: str = 'a.mp4') -> Answer:
        """Send a video."""
        return self.ask('POST', f'/api/videos?name={quote(name, safe="")}', content)

    def start(self, video: str, model: str) -> Answer:
        """Start an analysis."""
        return self.ask('POST', '/api/jobs', json.dumps(dict(video=video, model=model)).encode())

    def config(self) -> dict:
        """What the page is told; it proves that the server answers."""
        with self.connect() as link:
            link.sendall(self.head('GET', '/api/config'))
            answer = receive(link)
        assert answer.status == 200, answer
        return answer.json()

    def video(self, name: str) -> str:
        """Id of a video of the folder."""
        (found,) = (one['id'] for one in self.config()['videos'] if one['name'] == name)
        return found

    def wait_for(self, job: str, *states: str) -> dict:
        """The job when it is in one of the states."""
        for _ in range(_SECONDS * 20):
            (now,) = (one for one in self.config()['jobs'] if one['id'] == job)
            if now['state'] in states:
                return now
            time.sleep(0.05)
        raise AssertionError(f'the job is {now}, not {states}')

    def told(self) -> str:
        """What came of an attack, in words; counting starts again."""
        words = ', '.join(f'{number} {kind}' for kind, number in sorted(self.counts.items()))
        self.counts.clear()
        return words


def send(link: socket.socket, pieces: Iterable) -> int:
    """Send until there is an answer or the connection is closed; bytes that went."""
    size = 0
    for piece in pieces:
        for part in [piece] if isinstance(piece, bytes) else piece:
            if size > 2**16 and select.select([link], [], [], 0)[0]:
                return size
            try:
                link.sendall(part)
            except (BrokenPipeError, ConnectionResetError):
                return size
            size += len(part)
    return size


def receive(link: socket.socket, method: str = 'GET') -> Answer:
    """An answer, as far as it comes."""
    response = http.client.HTTPResponse(link, method=method)
    try:
        response.begin()
        headers = {name.lower(): value for name, value in response.getheaders()}
    except (http.client.HTTPException, ConnectionError):
        return Answer(0, {}, b'')
    body = b''
    with suppress(http.client.IncompleteRead, ConnectionError):
        while part := response.read1(2**20):
            body += part
    return Answer(response.status, headers, body)


def chunked(size: int, piece: int = 2**20) -> Iterable[bytes]:
    """A body of zeros that does not say its length; it is never held in memory."""
    zeros = bytes(piece)
    while size > 0:
        part = min(size, piece)
        yield b'%x\r\n%b\r\n' % (part, zeros[:part])
        size -= part
    yield b'0\r\n\r\n'


class Meter:
    """Looks at the memory of a process and its children, and at the size of folders, all the time.

    Attributes:
        disk: Most bytes in the folders.
        children: Most bytes of memory of its children at one time.
    """

    def __init__(self, pid: int, folders: Iterable[Path]) -> None:
        self.pid, self.folders = pid, list(folders)
        self.disk = self.children = 0
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Meter:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    @property
    def peak(self) -> int:
        """Most bytes of memory the process ever had."""
        return _memory(self.pid, 'VmHWM')

    def told(self) -> str:
        """Its figures, in words."""
        memory, children, disk = (n / 2**20 for n in (self.peak, self.children, self.disk))
        return (
            f'memory {memory:.0f} MiB, of processes that open videos {children:.0f} MiB, '
            f'disk {disk:.0f} MiB at most'
        )

    def open_files(self) -> list[str]:
        """What it holds open: paths, sockets and pipes."""
        found = []
        for name in os.listdir(f'/proc/{self.pid}/fd'):
            with suppress(OSError):
                found.append(os.readlink(f'/proc/{self.pid}/fd/{name}'))
        return found

    def _watch(self) -> None:
        while not self._is_over.wait(0.1):
            with suppress(OSError):
                self.disk = max(self.disk, sum(map(_bytes_below, self.folders)))
                self.children = max(self.children, sum(map(_memory, self._children())))

    def _children(self) -> list[int]:
        tasks = Path(f'/proc/{self.pid}/task').glob('*/children')
        return [int(pid) for task in tasks for pid in task.read_text().split()]


def _memory(pid: int, kind: str = 'VmRSS') -> int:
    with suppress(OSError), open(f'/proc/{pid}/status') as file:
        for line in file:
            if line.startswith(kind):
                return int(line.split()[1]) * 1024
    return 0


def _bytes_below(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.stat(os.path.join(parent, name)).st_blocks * 512
    return total
