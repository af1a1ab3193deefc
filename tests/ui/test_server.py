"""What stands between the page and a model: loading it late, once, and one video at a time."""

import importlib
import sys
import threading
import types
from pathlib import Path
from types import SimpleNamespace

import pytest
from starlette.testclient import TestClient

from mart_mm.ui.jobs import JobCancelled
from mart_mm.ui.limits import Limits
from mart_mm.ui.server import LazyAnalyser, find_models, serve


class Inferencer:
    made: list = []

    def __init__(self, **options: object) -> None:
        self.made.append(options)

    def report(self, path: Path, *, transcript: object, on_progress: object) -> tuple:
        on_progress(0.5, 'half')
        return path, transcript


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list:
    Inferencer.made = []
    module = types.ModuleType('mart_mm.apis')
    module.MARTInferencer = Inferencer
    monkeypatch.setitem(sys.modules, 'mart_mm.apis', module)
    return Inferencer.made


def test_model_is_loaded_by_its_first_video(made: list) -> None:
    analyser, told = LazyAnalyser(model='a.pth', device='cpu'), []
    assert made == []
    for name in ('x.mp4', 'y.mp4'):
        found = analyser(Path(name), Path('t.srt'), lambda *progress: told.append(progress))
        assert found == (Path(name), Path('t.srt'))
    assert made == [dict(model='a.pth', show_progress=False, masks=True, device='cpu')]
    assert told == [(0.0, 'loading the model'), (0.5, 'half'), (0.5, 'half')]


def test_waiting_for_the_model_can_be_cancelled(made: list) -> None:
    analyser = LazyAnalyser(model='a.pth')
    inside, may_go_on = threading.Event(), threading.Event()

    def hold(*_: object) -> None:
        inside.set()
        may_go_on.wait(10)

    first = threading.Thread(target=analyser, args=(Path('x.mp4'), None, hold))
    first.start()
    assert inside.wait(10)

    def cancel(fraction: float, message: str) -> None:
        assert message == 'waiting for the model'
        raise JobCancelled

    with pytest.raises(JobCancelled):
        analyser(Path('y.mp4'), None, cancel)
    may_go_on.set()
    first.join()


@pytest.fixture
def checkpoint(tmp_path: Path) -> str:
    path = tmp_path / 'run' / 'epoch_3.pth'
    path.parent.mkdir()
    path.touch()
    return str(path)


def test_models_are_found(monkeypatch: pytest.MonkeyPatch, checkpoint: str, tmp_path: Path) -> None:
    run = tmp_path / 'demo_out' / 'mart'
    run.mkdir(parents=True)
    for epoch in (4, 30):
        (run / f'epoch_{epoch}.pth').touch()
    monkeypatch.chdir(tmp_path)
    found = find_models([checkpoint, 'mart_mbt_planted'])
    assert found.pop('run/epoch_3.pth') == dict(model=checkpoint)
    (named,) = found.values()
    assert list(found) == ['mart_mbt_planted'] == [Path(named['model']).stem]
    assert Path(named['weights']).resolve() == run / 'epoch_30.pth'
    with pytest.raises(ValueError, match='two are called run/epoch_3.pth'):
        find_models([checkpoint, checkpoint])


@pytest.mark.parametrize(
    ('host', 'hosts', 'allowed'),
    [
        ('127.0.0.1', (), {'127.0.0.1'}),
        ('192.0.2.7', (), {'192.0.2.7'}),
        ('0.0.0.0', ('box.local',), {'box.local'}),
    ],
)
def test_serve(
    monkeypatch: pytest.MonkeyPatch, checkpoint: str, host: str, hosts: tuple, allowed: set
) -> None:
    seen = SimpleNamespace()

    def run(app: object, **options: object) -> None:
        seen.app, seen.options = app, options

    monkeypatch.setattr('mart_mm.ui.server.uvicorn.run', run)
    limits = Limits(max_upload_bytes=3, patience=7, max_connections=9)
    serve([checkpoint], host, 9000, limits=limits, allowed_hosts=hosts)
    assert (seen.options['host'], seen.options['port']) == (host, 9000)
    assert seen.app.user_middleware[0].kwargs['allowed_hosts'] == allowed
    protocol = seen.options['http'].keywords
    assert protocol == dict(patience=7, max_connections=9)
    with TestClient(seen.app, base_url=f'http://{min(allowed)}') as client:
        assert client.get('/api/config').json()['max_upload_bytes'] == 3


def test_all_addresses_need_a_name(checkpoint: str) -> None:
    with pytest.raises(ValueError, match='allowed_hosts'):
        serve([checkpoint], '0.0.0.0')


def test_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(sys.modules):
        if name.startswith('mart_mm.ui'):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, 'uvicorn', None)
    with pytest.raises(ModuleNotFoundError, match=r'pip install "mart-mm\[ui\]"'):
        importlib.import_module('mart_mm.ui')
