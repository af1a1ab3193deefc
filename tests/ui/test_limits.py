"""What the page holds is bounded, and goes."""

import errno
import gc
import os
import subprocess
import sys
import tempfile
import threading
import weakref
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import anyio
import pytest
from starlette.testclient import TestClient

from mart_mm.errors import MediaError
from mart_mm.ui import exporting, media, probe
from mart_mm.ui.app import create_app
from mart_mm.ui.jobs import Job, JobQueue
from mart_mm.ui.library import GoneError, Library, NoRoomError
from mart_mm.ui.limits import Limits
from mart_mm.ui.stored_file import StoredFile
from mart_mm.ui.workplace import Workplace


def test_cancelled_jobs_are_forgotten_while_another_runs() -> None:
    may_end = threading.Event()
    jobs = JobQueue(
        num_workers=1, max_queued=4, max_kept=2, explain=lambda *_: '', on_forget=lambda *_: None
    )
    running = jobs.submit(Job('analysis', 'v', 'm', lambda _: may_end.wait(60)))
    cancelled = []
    for _ in range(50):
        job = jobs.submit(Job('analysis', 'v', 'm', lambda _: None))
        jobs.cancel(job)
        cancelled.append(weakref.ref(job))
    del job
    gc.collect()
    assert running.state in ('queued', 'running')
    assert sum(job() is not None for job in cancelled) <= 3
    may_end.set()
    jobs.close(60)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    limits = Limits(max_upload_bytes=50, max_disk_bytes=100, max_videos=3)
    return Library(tmp_path, None, limits, free=lambda video: True)


def fill(library: Library, size: int) -> object:
    with library.receiving(size) as folder:
        (folder / 'a.mp4').write_bytes(bytes(size))
        return library.add(folder / 'a.mp4', 'a.mp4')


def test_only_so_many_uploads_are_kept(library: Library) -> None:
    first, *others = [fill(library, 1) for _ in range(3)]
    assert library.all() == [first, *others]
    last = fill(library, 1)
    assert library.all() == [*others, last]
    assert not first.path.exists()
    with library.receiving(1), library.receiving(1), library.receiving(1):
        assert library.all() == []  # what is under way counts
        with pytest.raises(NoRoomError, match='3 videos'), library.receiving(1):
            pass


def test_what_is_added_to_keeps_its_video(library: Library) -> None:
    video, other = fill(library, 40), fill(library, 40)
    with library.adding(video, 10):
        with pytest.raises(NoRoomError), library.receiving(60):
            pass
        assert video.path.exists() and not other.path.exists()
        with library.receiving(50):
            assert video.path.exists()
    with library.receiving(61):
        assert not video.path.exists()
    with pytest.raises(GoneError, match='upload it again'), library.adding(video, 1):
        pass


def test_full_disk_is_told(
    ui: SimpleNamespace, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def write(*_: object) -> None:
        raise OSError(errno.ENOSPC, 'no space')

    monkeypatch.setattr(anyio.AsyncFile, 'write', write)
    app = create_app(dict(planted=ui.Analyser(ui.report())))
    with TestClient(app, base_url=ui.base_url) as client:
        answer = client.post('/api/videos?name=a.mp4', content=video.read_bytes())
        assert answer.status_code == 507
        assert 'disk of the server is full' in answer.json()['error']
        assert list((app.state.service.root / 'uploads').iterdir()) == []


def test_export_of_what_is_forgotten_meanwhile(
    ui: SimpleNamespace, video: Path, planted_exports: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_app(dict(planted=ui.Analyser(ui.report())))
    with TestClient(app, base_url=ui.base_url) as client:
        uploaded = ui.upload(client, video)
        job = ui.start(client, uploaded)
        ui.wait_for(client, job['id'], 'done')
        service, real = app.state.service, exporting.export

        def export(*given: object) -> Path:
            assert service.jobs.free(uploaded['id'])
            return real(*given)

        monkeypatch.setattr(exporting, 'export', export)
        answer = client.get(f'/api/jobs/{job["id"]}/exports/json')
        assert answer.status_code == 404
        assert 'has made room' in answer.json()['error']
        assert list((service.root / 'results').iterdir()) == []


@pytest.mark.parametrize('moment', ['before', 'after'])
def test_file_that_goes_while_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Before its size is looked up, and after; either way nothing of an answer has been sent."""
    path = tmp_path / 'a.mp4'
    path.write_bytes(b'content')
    file, messages = StoredFile(path), []

    async def send(message: dict) -> None:
        messages.append(message['type'])

    async def receive() -> dict:
        await anyio.sleep_forever()

    real = StoredFile.set_stat_headers
    monkeypatch.setattr(
        StoredFile, 'set_stat_headers', lambda self, stat: (real(self, stat), path.unlink())
    )
    if moment == 'before':
        path.unlink()
    with pytest.raises(GoneError):
        anyio.run(file, dict(type='http', method='GET', headers=[]), receive, send)
    assert messages == []


def test_exports_need_room(
    ui: SimpleNamespace, video: Path, planted_exports: list, tmp_path: Path
) -> None:
    size = video.stat().st_size
    (tmp_path / 'one.mp4').write_bytes(video.read_bytes() + bytes(size))
    limits = Limits(max_upload_bytes=size, max_disk_bytes=size + 10)
    app = create_app(dict(planted=ui.Analyser(ui.report())), folder=tmp_path, limits=limits)
    with TestClient(app, base_url=ui.base_url) as client:
        (folder_video,) = client.get('/api/config').json()['videos']
        job = ui.start(client, folder_video)
        ui.wait_for(client, job['id'], 'done')
        busy = app.state.service.library.receiving(size)
        with busy:
            made = client.post(f'/api/jobs/{job["id"]}/exports/overlay').json()
            assert 'do not fit' in ui.wait_for(client, made['id'], 'failed')['error']
            assert client.get(f'/api/jobs/{job["id"]}/exports/json').status_code == 200


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path))
    return tmp_path


def test_folder_of_a_killed_server_is_removed(places: Path) -> None:
    killed, running = Workplace(), Workplace()
    (killed.root / 'uploads').mkdir()
    (killed.root / 'uploads' / 'a.mp4').touch()
    os.close(killed._lock)  # as the system does when a process ends
    mine, linked = places / 'mart_mm_ui_notes', places / 'linked'
    for folder in (mine, linked):
        folder.mkdir()
        (folder / 'kept').touch()
    (linked / 'lock').touch()
    (places / 'mart_mm_ui_link').symlink_to(linked)
    new = Workplace()
    assert not killed.root.exists()
    assert running.root.is_dir() and new.root.is_dir()
    assert (mine / 'kept').exists() and (linked / 'kept').exists()
    assert new.root.stat().st_mode & 0o777 == 0o700
    for place in (new, running):
        place.close()
        assert not place.root.exists()


def test_what_is_announced_is_bounded(video: Path) -> None:
    media.check_media(video, 'clip', Limits(max_pixels=64 * 48))
    with pytest.raises(MediaError, match='clip: announces pictures of 64 x 48, and 3,071 pixels'):
        media.check_media(video, 'clip', Limits(max_pixels=64 * 48 - 1))


@pytest.mark.parametrize(
    ('script', 'words'),
    [
        ('import os; os.abort()', 'takes more memory'),
        ('import time; time.sleep(600)', 'is not open after 1 s'),
    ],
)
def test_opening_may_crash_or_hang(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, video: Path, script: str, words: str
) -> None:
    (tmp_path / 'script.py').write_text(script)
    stand_in = SimpleNamespace(__file__=str(tmp_path / 'script.py'))
    monkeypatch.setattr(media, 'probe', stand_in)
    monkeypatch.setattr(media, '_SECONDS', 1)
    with pytest.raises(MediaError, match=words):
        media.check_media(video, 'clip', Limits())


@pytest.mark.skipif(sys.platform != 'linux', reason='other systems do not bound it')
def test_opening_has_bounded_memory() -> None:
    script = (
        f"import runpy; runpy.run_path({probe.__file__!r})['_bound_memory'](); bytearray(2**30)"
    )
    done = subprocess.run([sys.executable, '-c', script], capture_output=True, text=True)
    assert done.returncode != 0 and 'MemoryError' in done.stderr


def test_only_so_many_uploads_at_a_time(ui: SimpleNamespace, video: Path) -> None:
    limits = replace(Limits(), max_uploads=1)
    app = create_app(dict(planted=ui.Analyser(ui.report())), limits=limits)
    with TestClient(app, base_url=ui.base_url) as client:
        with app.state.receiver.uploading():
            answer = client.post('/api/videos?name=a.mp4', content=video.read_bytes())
            assert answer.status_code == 429
            assert '1 uploads are under way' in answer.json()['error']
        ui.upload(client, video)
