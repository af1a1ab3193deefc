"""Videos behind addresses and in tar archives, against the same videos in a folder."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config

from mart_mm.apis.scan.targets import collect
from mart_mm.datasets import remote
from mart_mm.datasets.cache import FileCache
from mart_mm.datasets.ekman6 import Ekman6
from mart_mm.datasets.manifest import ManifestDataset
from mart_mm.errors import MediaError
from mart_mm.utils import download
from mart_mm.utils.media_writer import write_video

PIPELINES = Path(__file__).parents[2] / 'configs/_base_/pipelines/planted_6x4x48.py'
NAMES = ('anger/1000', 'joy/1001.part')
SRT = '1\n00:00:00,100 --> 00:00:00,900\nwhat a happy {}\n'


@pytest.fixture(scope='module')
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two videos with sound, each with a transcript beside it."""
    folder, rng = tmp_path_factory.mktemp('remote') / 'videos', np.random.default_rng(0)
    for name, said in zip(NAMES, ('day', 'end'), strict=True):
        frames = rng.integers(256, size=(12, 48, 48, 3), dtype=np.uint8)
        sound = rng.normal(0, 0.1, 24000).astype(np.float32)
        write_video(folder / f'{name}.mp4', frames, fps=8, audio=sound)
        (folder / f'{name}.srt').write_text(SRT.format(said))
    return folder


@pytest.fixture(scope='module')
def archive(videos: Path) -> Path:
    """The same files in a tar archive of GNU tar's making, which knows nothing of ours."""
    import subprocess

    path = videos.parent / 'shard.tar'
    subprocess.run(['tar', '-cf', path, '-C', videos, '.'], check=True)
    return path


class Server:
    """Serves a folder; /flaky/ fails once per file, /cut/ ends early, /slow/ never answers."""

    def __init__(self, folder: Path) -> None:
        self.asked: Counter = Counter()
        outer = self

        class Handler(SimpleHTTPRequestHandler):
            def do_GET(self) -> None:  # noqa: N802
                outer.asked[self.path] += 1
                kind, _, rest = self.path.lstrip('/').partition('/')
                if kind == 'flaky' and outer.asked[self.path] == 1:
                    self.send_error(503)
                elif kind == 'cut':
                    content = (folder / rest).read_bytes()
                    self.send_response(200)
                    self.send_header('Content-Length', str(len(content)))
                    self.end_headers()
                    self.wfile.write(content[: len(content) // 2])
                elif kind == 'slow':
                    outer.released.wait(60)
                    self.close_connection = True
                else:
                    self.path = '/' + rest
                    super().do_GET()

            def log_message(self, *_: object) -> None:
                pass

        self.released = threading.Event()
        handler = partial(Handler, directory=str(folder))
        self._server = ThreadingHTTPServer(('127.0.0.1', 0), handler)
        self.address = f'http://127.0.0.1:{self._server.server_port}'
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server(videos: Path, archive: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(download, '_PAUSE', 0.0)
    server = Server(videos.parent)
    yield server
    server.close()


def small_pipeline(folder: Path) -> list[dict]:
    """The config's, with a lexicon that need not be packed for each cache anew."""
    words = folder / 'words.json'
    words.write_text(
        '[{"concept": "happy", "polarity": "positive", "value": 0.8, "moods": ["joy"]}]'
    )
    pipeline = Config.fromfile(PIPELINES).planted_test_pipeline
    (find,) = [step for step in pipeline if step.type == 'FindCues']
    find.lexicon = dict(type='FileLexicon', path=str(words))
    return pipeline


def manifest(
    folder: Path, paths: list[str], transcripts: bool = False, **options: object
) -> ManifestDataset:
    folder.mkdir(parents=True, exist_ok=True)
    named = [path.replace('.mp4', '.srt') if transcripts else '' for path in paths]
    lines = [f'{path},joy,train,{words}' for path, words in zip(paths, named, strict=True)]
    (folder / 'm.csv').write_text('\n'.join(['video,label,split,transcript', *lines]))
    options = dict(test_mode=True) | options
    return ManifestDataset(
        ann_file=str(folder / 'm.csv'),
        data_root='',
        split='train',
        classes=['joy', 'fear'],
        polarity=[1, -1],
        mood_table=dict(joy='joy', fear='fear'),
        pipeline=small_pipeline(folder),
        **options,
    )


def assert_same(sample: dict, other: dict) -> None:
    for key in ('imgs', 'audios'):
        assert torch.equal(sample['inputs'][key], other['inputs'][key])
    assert sample['inputs']['present'] == other['inputs']['present']


def copies(folder: Path) -> list[Path]:
    return [path for path in folder.rglob('*.file*')]


@pytest.mark.parametrize(
    ('place', 'cached'),
    [
        ('{server}/plain/videos', True),
        ('{server}/plain/videos', False),
        ('{archive}', True),
        ('{server}/plain/shard.tar', True),
    ],
    ids=['address', 'address, no cache', 'archive', 'archive behind an address'],
)
def test_samples_are_those_of_the_folder(
    place: str, cached: bool, videos: Path, archive: Path, server: Server, tmp_path: Path
) -> None:
    place = place.format(server=server.address, archive=archive)
    expected = manifest(tmp_path / 'a', [f'{videos}/{name}.mp4' for name in NAMES])
    cache = dict(folder=str(tmp_path / 'cache')) if cached else None
    paths = [f'{place}/{name}.mp4' for name in NAMES]
    # an address has no folder to look into: there transcripts are named
    found = manifest(tmp_path / 'b', paths, transcripts='.tar' not in place, cache=cache)
    for _ in range(2):
        for index in range(2):
            sample, local = found[index], expected[index]
            assert_same(sample, local)
            assert sample['data_samples'].video_path == paths[index]
            assert 'failed' not in sample['data_samples']
            assert sample['data_samples'].texts == local['data_samples'].texts
            assert 'happy' in ' '.join(sample['data_samples'].texts)
    if place.startswith('http'):
        most = max(server.asked.values())
        assert most == 1 if cached else most > 1
    if cached:
        assert len(copies(tmp_path / 'cache')) >= 2
    # what is computed from copies is found again: log-mel and frame table of each video
    if cached and place == str(archive):
        before = sorted((tmp_path / 'cache').rglob('*.entry'))
        for path in copies(tmp_path / 'cache'):
            path.unlink()
        found[0], found[1]
        assert sorted((tmp_path / 'cache').rglob('*.entry')) == before


def test_lists_are_local_and_videos_are_not(
    videos: Path, archive: Path, server: Server, tmp_path: Path
) -> None:
    lists = tmp_path / 'annotations'
    lists.mkdir()
    names = Ekman6.METAINFO['classes']
    (lists / 'classInd.txt').write_text('\n'.join(f'{i} {n}' for i, n in enumerate(names, 1)))
    (lists / 'trainlist01.txt').write_text('anger/1000 1\njoy/1001.part 4\n')
    pipeline = small_pipeline(tmp_path)
    for place in (f'{server.address}/plain/videos', str(archive)):
        data_set = Ekman6(
            data_root=str(tmp_path),
            ann_file='annotations/trainlist01.txt',
            data_prefix=dict(video=place, transcript='subtitles'),
            pipeline=pipeline,
            test_mode=True,
        )
        assert data_set.get_data_info(0)['video_path'] == f'{place}/anger/1000.mp4'
        assert all('failed' not in data_set[index]['data_samples'] for index in range(2))
    with pytest.raises(ValueError, match='data_prefix.video'):
        Ekman6(data_root=server.address, ann_file='a.txt', pipeline=pipeline)


def test_files_that_cannot_be_had_are_counted_by_their_names(
    server: Server, archive: Path, tmp_path: Path
) -> None:
    name, cache = f'videos/{NAMES[0]}.mp4', dict(folder=str(tmp_path / 'cache'))
    cut, torn = tmp_path / 'cut.tar', tmp_path / 'torn.tar'
    cut.write_bytes(archive.read_bytes()[:700])  # of its first member not all is there
    torn.write_bytes(b'no archive at all')
    paths = [
        f'{server.address}/plain/videos/none.mp4',
        f'{server.address}/cut/{name}',
        f'{server.address}/plain/videos/{NAMES[0]}.srt',
        f'{archive}/none.mp4',
        f'{cut}/{NAMES[0]}.mp4',
        f'{torn}/{NAMES[0]}.mp4',
        f'nowhere://{name}',
        'http://127.0.0.1:9/nobody/listens.mp4',
    ]
    data_set = manifest(tmp_path / 'm', [*paths, f'{server.address}/flaky/{name}'], cache=cache)
    reasons = []
    for index, path in enumerate(paths):
        sample = data_set[index]['data_samples']
        ((failed, reason),) = sample.failures
        assert failed == path and path in data_set.record_names[index]
        reasons.append(reason)
    for reason, said in zip(
        reasons,
        (
            '404',
            'breaks off',
            'video',
            'no such member',
            'no such member',
            'tar',
            'fetched',
            'fetched',
        ),
        strict=True,
    ):
        assert said in reason, reasons
    assert server.asked[f'/cut/{name}'] == 3 and server.asked['/plain/videos/none.mp4'] == 1
    assert data_set[len(paths)]['data_samples'].failures == []  # it came at the second try
    # what cannot be read is not kept, and training goes on with the next one that can
    assert len(copies(tmp_path / 'cache')) == 1
    training = manifest(
        tmp_path / 't', [*paths, f'{server.address}/plain/{name}'], cache=cache, test_mode=False
    )
    assert len(training[0]['data_samples'].failures) == len(paths)


def test_an_address_that_never_answers_is_given_up(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, '_TIMEOUT', 0.2)
    with pytest.raises(MediaError, match='timed out'):
        remote.fetch(f'{server.address}/slow/a.mp4', tmp_path / 'a.mp4')


def test_copies_stay_within_the_limit(archive: Path, videos: Path, tmp_path: Path) -> None:
    sizes = [(videos / f'{name}.mp4').stat().st_size for name in NAMES]
    cache = FileCache(str(tmp_path / 'cache'), max_bytes=int(max(sizes) * 1.5))
    for name, size in zip(NAMES * 2, sizes * 2, strict=True):
        record = dict(video_path=f'{archive}/{name}.mp4')
        with remote.local_copies(record, cache) as local:
            copy = Path(local['video_path'])
            assert copy.read_bytes() == (videos / f'{name}.mp4').read_bytes()
            assert copy.stat().st_size == size
        assert sum(path.stat().st_size for path in copies(tmp_path / 'cache')) <= cache.max_bytes
    # with no room at all the copy is temporary
    small = FileCache(str(tmp_path / 'small'), max_bytes=20)
    with remote.local_copies(record, small) as local:
        copy = Path(local['video_path'])
        assert copy.read_bytes() == (videos / f'{NAMES[1]}.mp4').read_bytes()
    assert not copy.exists() and not copies(tmp_path / 'small')
    assert not Path(local['transcript_path']).exists()


def test_a_transcript_of_ones_own_goes_before_that_of_the_archive(
    archive: Path, tmp_path: Path
) -> None:
    (tmp_path / 'mine.srt').write_text(SRT.format('night'))
    for given in (tmp_path / 'mine.srt', tmp_path / 'mine', tmp_path / 'nowhere'):
        record = dict(video_path=f'{archive}/{NAMES[0]}.mp4', transcript_path=str(given))
        with remote.local_copies(record, None) as local:
            if given.name != 'nowhere':
                assert local['transcript_path'] == str(given)
            else:
                assert Path(local['transcript_path']).read_text() == SRT.format('day')


def test_paths_that_are_local_stay(tmp_path: Path) -> None:
    folder = tmp_path / 'unpacked.tar'  # a folder of that name is a folder
    folder.mkdir()
    (folder / 'a.mp4').touch()
    record = dict(video_path=str(folder / 'a.mp4'), transcript_path='b/a', features=dict(audio='c'))
    with remote.local_copies(record, None) as local:
        assert local == record
    assert remote.exists(folder / 'a.mp4') and not remote.exists(folder / 'b.mp4')


@pytest.mark.parametrize('place', ['https://example.org/videos', '{archive}'])
def test_the_scan_says_that_it_takes_local_files_only(
    place: str, archive: Path, tmp_path: Path
) -> None:
    path = f'{place.format(archive=archive)}/{NAMES[0]}.mp4'
    (tmp_path / 'm.csv').write_text(f'video,label,split\n{path},joy,train')
    data = dict(
        type='ManifestDataset', ann_file=str(tmp_path / 'm.csv'), data_root='', split='train',
        classes=['joy'], polarity=[1], mood_table={}, pipeline=[],
    )  # fmt: skip
    config = tmp_path / 'remote.py'
    config.write_text(f"default_scope = 'mart_mm'\ntrain_dataloader = dict(dataset={data!r})\n")
    with pytest.raises(ValueError, match=r'only local files are scanned.*name the folder'):
        collect([config])
