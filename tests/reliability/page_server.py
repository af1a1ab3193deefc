"""A server of the page in a process of its own, in a place whose every change is seen."""

from __future__ import annotations

import multiprocessing
import os
import socket
import tempfile
import time
from pathlib import Path

from mart_mm.structures.emotion_report import EmotionReport
from mart_mm.ui.app import create_app
from mart_mm.ui.jobs import Progress
from mart_mm.ui.limits import Limits
from mart_mm.ui.server import run

HOST = '127.0.0.1'
_PREFIX = 'mart_mm_ui_'


class Playground:
    """Folders around a server.

    ``videos`` is offered by the server and holds links that lead out of it, ``tmp`` is where it makes
    its own folder, and beside them lies what nobody may read or touch.

    Args:
        root: An empty folder.
        video: Content of a video.
        large_bytes: Size of a large one.
    """

    SECRET = b'what nobody may read'

    def __init__(self, root: Path, video: bytes, large_bytes: int) -> None:
        self.root, self.video = root, video
        self.videos, self.tmp = root / 'videos', root / 'tmp'
        others = (root / 'beside', root / 'current', self.tmp / f'{_PREFIX}notes')
        for folder in (self.videos, self.videos / 'deeper', self.tmp, *others):
            folder.mkdir()
        for folder in (root, self.videos / 'deeper', *others):
            (folder / 'secret.mp4').write_bytes(self.SECRET)
        for name in ('one.mp4', 'changed.mp4'):
            (self.videos / name).write_bytes(video)
        with open(self.videos / 'large.mp4', 'wb') as file:
            file.truncate(large_bytes)
        for name, target in (
            ('out.mp4', root / 'secret.mp4'), ('up.mp4', Path('../secret.mp4')),
            ('loop.mp4', Path('loop.mp4')), ('etc.mp4', Path('/etc/passwd')), ('gone.mp4', Path('no')),
        ):  # fmt: skip
            (self.videos / name).symlink_to(target)
        os.mkfifo(self.videos / 'pipe.mp4')
        self._before = self._all()

    def own(self) -> list[Path]:
        """Folders that servers made."""
        found = self.tmp.glob(f'{_PREFIX}*')
        return [path for path in found if path.name != f'{_PREFIX}notes']

    def own_files(self) -> list[Path]:
        """Files in those folders, without their locks."""
        return [
            Path(parent, name)
            for folder in self.own()
            for parent, _, names in os.walk(folder)
            for name in names
            if name != 'lock'
        ]

    def changes(self) -> set[str]:
        """Paths outside of the servers' own folders that came, went or are not as they were."""
        return {path for path, _ in self._before ^ self._all()}

    def accept(self, path: Path) -> None:
        """Take a path as it is now as untouched."""
        self._before = {kept for kept in self._before if kept[0] != str(path)}
        self._before |= {now for now in self._all() if now[0] == str(path)}

    def _all(self) -> set[tuple]:
        own = {str(path) for path in self.own()}
        found = set()
        for parent, folders, names in os.walk(self.root):
            folders[:] = [name for name in folders if f'{parent}/{name}' not in own]
            for name in (*folders, *names):
                path = Path(parent, name)
                stat = path.lstat()
                is_file = path.is_file() and not path.is_symlink()
                state = (stat.st_size, stat.st_mtime_ns) if is_file else (stat.st_mode, 0)
                found.add((str(path), state))
        return found


class Server:
    """A running server.

    Args:
        playground: Where it runs.
        limits: Its bounds.
    """

    def __init__(self, playground: Playground, limits: Limits) -> None:
        context = multiprocessing.get_context('forkserver')
        context.set_forkserver_preload(['mart_mm.ui.server'])  # imported once for all servers
        with socket.socket() as free:
            free.bind((HOST, 0))
            self.port = free.getsockname()[1]
        self.playground, self.limits = playground, limits
        paths = (str(playground.videos), str(playground.tmp), str(playground.root / 'current'))
        self.process = context.Process(target=_serve, args=(self.port, limits, *paths), daemon=True)
        self.process.start()
        self.pid = self.process.pid
        self._wait_until_it_answers()

    def _wait_until_it_answers(self) -> None:
        for _ in range(1200):
            try:
                socket.create_connection((HOST, self.port), 60).close()
                return
            except OSError:
                assert self.process.is_alive(), 'the server did not start'
                time.sleep(0.1)
        raise AssertionError('the server did not start')

    def stop(self, *signals: int) -> int | None:
        """Send signals; the exit code, None when the process is still there after a minute."""
        for number in signals:
            os.kill(self.pid, number)
            time.sleep(0.5)
        self.process.join(60)
        return self.process.exitcode


class Planted:
    """Stands for a model: takes its time and reports nothing in particular.

    Args:
        seconds: How long it takes.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __call__(self, path: Path, transcript: Path | None, on_progress: Progress) -> EmotionReport:
        """Keep the video open, as a reader does."""
        end = time.monotonic() + self.seconds
        with open(path, 'rb') as file:
            while time.monotonic() < end:
                file.read(1000)
                on_progress(0.5, 'working')
                time.sleep(0.01)
        return EmotionReport(
            video=path.name, duration=1.0, classes=['joy', 'fear'], polarity=[1, -1], emotion='joy',
            scores=[0.6, 0.4], sentiment=1, segments=[], words=[], has_sound=True,
            transcript_source='none', warnings=[], model=dict(name='planted'),
        )  # fmt: skip


def _serve(port: int, limits: Limits, videos: str, tmp: str, current: str) -> None:
    os.environ['TMPDIR'], tempfile.tempdir = tmp, None
    os.chdir(current)
    app = create_app(dict(quick=Planted(0), slow=Planted(600)), folder=videos, limits=limits)
    run(app, HOST, port, limits)
