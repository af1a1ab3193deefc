"""The page under attack: served or refused, nothing outside its folder touched, all of it bounded."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import page_load
import page_requests
import pytest
from page_bombs import small_video
from page_client import Meter, Page, send
from page_server import HOST, Playground, Server

from mart_mm.ui.limits import Limits

MIB = 2**20
_MORE_MEMORY = 200 * MIB  # than a server that has done nothing yet


class Scene:
    """A server in its playground, watched."""

    def __init__(self, root: Path, limits: Limits) -> None:
        video = small_video(root / 'video.mp4')
        self.playground = Playground(root, video, large_bytes=64 * MIB)
        self.video, self.limits = video, limits
        self.server = Server(self.playground, limits)
        self.page = Page(HOST, self.server.port)
        self.meter = Meter(self.server.pid, self.playground.own())
        self.memory = self.meter.peak

    def check(self, tell: Callable[[str], None]) -> None:
        """The server answers, has touched nothing outside, and uses no more than it may."""
        page, playground = self.page, self.playground
        uploads = [one for one in page.config()['videos'] if one['is_upload']]
        broken, page.broken = page.broken, []
        assert broken == []
        assert playground.changes() == set()
        assert len(uploads) <= self.limits.max_videos
        for _ in range(600):  # what broke off is removed when its server notices
            files = [
                path for path in playground.own_files() if path.parent.parent.name == 'uploads'
            ]
            if len(files) == len(uploads):
                break
            time.sleep(0.1)
        assert len(files) == len(uploads), files
        inside = (str(playground.videos), *map(str, playground.own()))
        opened = [path for path in self.meter.open_files() if path.startswith(str(playground.root))]
        assert all(path.startswith(inside) for path in opened), opened
        assert self.meter.disk <= self.limits.max_disk_bytes + MIB
        more = self.meter.peak - self.memory
        assert more < _MORE_MEMORY, f'{more / MIB:.0f} MiB'
        tell(f'{page.told()}; {self.meter.told()}')


@pytest.fixture(scope='module')
def limits(request: pytest.FixtureRequest) -> Limits:
    if request.config.getoption('--full'):
        return Limits(patience=5)
    return Limits(
        max_upload_bytes=8 * MIB, max_disk_bytes=24 * MIB, max_videos=12, max_uploads=3,
        max_connections=40, patience=1,
    )  # fmt: skip


@pytest.fixture(scope='module')
def scene(tmp_path_factory: pytest.TempPathFactory, limits: Limits) -> Iterator[Scene]:
    scene = Scene(tmp_path_factory.mktemp('page'), limits)
    with scene.meter:
        yield scene
    scene.server.stop(signal.SIGKILL)


def test_names(scene: Scene, tell: Callable, count: Callable) -> None:
    page_requests.names(scene.page, scene.video, step=count(9, 1))
    scene.check(tell)


def test_malformed_requests(scene: Scene, tell: Callable) -> None:
    page_requests.malformed(scene.page)
    scene.check(tell)


def test_other_sites(scene: Scene, tell: Callable) -> None:
    page_requests.foreign(scene.page, scene.video)
    scene.check(tell)


def test_large_bodies(scene: Scene, tell: Callable, count: Callable) -> None:
    page_requests.large_bodies(scene.page, count(20 * MIB, 2 * 10**9))
    scene.check(tell)


def test_files_that_are_no_videos(scene: Scene, tell: Callable, count: Callable) -> None:
    page_requests.other_files(scene.page, scene.video, step=count(4, 1))
    scene.check(tell)


def test_parallel_uploads(scene: Scene, tell: Callable, count: Callable) -> None:
    page_load.parallel_uploads(scene.page, scene.video, count(8, 200), scene.limits.max_uploads)
    scene.check(tell)


def test_cancelled_jobs(scene: Scene, tell: Callable, count: Callable) -> None:
    page_load.cancelled_jobs(scene.page, scene.video, count(30, 3000))
    scene.check(tell)


def test_ranges(scene: Scene, tell: Callable) -> None:
    page_requests.ranges(scene.page, f'/api/videos/{scene.page.video("one.mp4")}/media')
    scene.check(tell)


def test_videos_that_must_go(scene: Scene, tell: Callable) -> None:
    page_load.removed_videos(scene.page, scene.video, scene.limits)
    scene.check(tell)


def test_files_that_change(scene: Scene, tell: Callable) -> None:
    root = scene.playground.root
    changed = root / 'videos' / 'changed.mp4'
    page_load.changed_files(scene.page, scene.video, changed, root / 'secret.mp4')
    scene.playground.accept(changed)
    scene.check(tell)


def test_slow_clients(scene: Scene, tell: Callable, count: Callable) -> None:
    large = f'/api/videos/{scene.page.video("large.mp4")}/media'
    page_load.slow_clients(scene.page, large, count(9, 90), scene.limits.patience)
    scene.check(tell)


def test_uploads_that_break_off(scene: Scene, tell: Callable, count: Callable) -> None:
    page_load.broken_uploads(scene.page, scene.video, count(6, 200))
    scene.check(tell)


def test_more_connections_than_are_taken(scene: Scene, tell: Callable, count: Callable) -> None:
    page_load.idle_connections(scene.page, scene.limits.max_connections + count(10, 500))
    scene.check(tell)


def test_servers_that_end(
    tmp_path: Path, scene: Scene, limits: Limits, tell: Callable, count: Callable
) -> None:
    """Killed, its files are removed by the next one; told to end, it removes them itself."""
    playground = Playground(tmp_path, scene.video, large_bytes=64 * MIB)
    limits = replace(limits, patience=60)
    killed = Server(playground, limits)
    (lost,) = playground.own()
    with _busy(killed, scene.video):
        assert len(playground.own_files()) == 2
        killed.stop(signal.SIGKILL)
    assert lost.is_dir()
    ways = [(signal.SIGTERM,), (signal.SIGINT,), (signal.SIGINT, signal.SIGINT)][: count(2, 3)]
    servers = [Server(playground, limits) for _ in ways]
    assert lost not in playground.own() and len(playground.own()) == len(servers)
    with ExitStack() as work, ThreadPoolExecutor(len(servers)) as threads:
        for server in servers:
            work.enter_context(_busy(server, scene.video))
        assert len(playground.own_files()) == 2 * len(servers)
        codes = list(threads.map(lambda server, way: server.stop(*way), servers, ways))
    assert all(code in (0, -signal.SIGTERM, -signal.SIGINT) for code in codes), codes
    assert playground.own() == []
    assert playground.changes() == set()
    tell(
        f'1 killed, {len(servers)} told to end, with a job, an upload and a download under way: no file left'
    )


@contextmanager
def _busy(server: Server, video: bytes) -> Iterator[None]:
    """Its job works, an upload is half way, a download is not taken."""
    page = Page(HOST, server.port)
    own = page.upload(video).json()['id']
    page.wait_for(page.start(own, 'slow').json()['id'], 'running')
    playground = server.playground
    number = len(playground.own_files())
    with page.connect() as upload, page.connect(receive=4096) as download:
        send(
            upload,
            [page.head('POST', '/api/videos?name=a.mp4', Content_Length='1000000'), bytes(70_000)],
        )
        send(download, [page.head('GET', f'/api/videos/{page.video("large.mp4")}/media')])
        assert download.recv(10)
        for _ in range(600):
            if len(playground.own_files()) > number:
                break
            time.sleep(0.1)
        yield
