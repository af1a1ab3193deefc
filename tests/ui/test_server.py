"""What stands between the page and a model: loading it late, once, and one video at a time."""

import sys
import threading
import types
from pathlib import Path
from types import SimpleNamespace

import pytest

from mart_mm.ui.jobs import JobCancelled
from mart_mm.ui.server import LazyAnalyser, serve


class Inferencer:
    made: list = []

    def __init__(self, model: str, **options: object) -> None:
        self.made.append((model, options))
        self.calls = []

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
    analyser, told = LazyAnalyser('a.pth', device='cpu'), []
    assert made == []
    for name in ('x.mp4', 'y.mp4'):
        found = analyser(Path(name), Path('t.srt'), lambda *progress: told.append(progress))
        assert found == (Path(name), Path('t.srt'))
    assert made == [('a.pth', dict(show_progress=False, device='cpu'))]
    assert told == [(0.0, 'loading the model'), (0.5, 'half'), (0.5, 'half')]


def test_waiting_for_the_model_can_be_cancelled(made: list) -> None:
    analyser = LazyAnalyser('a.pth')
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


@pytest.mark.parametrize(
    ('host', 'hosts', 'allowed'),
    [
        ('127.0.0.1', (), {'127.0.0.1'}),
        ('192.0.2.7', (), {'192.0.2.7'}),
        ('0.0.0.0', ('box.local',), {'box.local'}),
    ],
)
def test_serve(monkeypatch: pytest.MonkeyPatch, host: str, hosts: tuple, allowed: set) -> None:
    seen = SimpleNamespace()

    def run(app: object, **options: object) -> None:
        seen.app, seen.options = app, options

    monkeypatch.setattr('mart_mm.ui.server.uvicorn.run', run)
    serve(dict(a='a.pth'), host, 9000, allowed_hosts=hosts)
    assert (seen.options['host'], seen.options['port']) == (host, 9000)
    assert seen.app.user_middleware[0].kwargs['allowed_hosts'] == allowed


def test_all_addresses_need_a_name() -> None:
    with pytest.raises(ValueError, match='allowed_hosts'):
        serve(dict(a='a.pth'), '0.0.0.0')
