"""The server over HTTP, with an analyser whose answers are known."""

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from starlette.testclient import TestClient

from mart_mm.structures.emotion_report import EmotionReport
from mart_mm.ui.app import STATIC, create_app
from mart_mm.ui.limits import Limits


@pytest.fixture
def analyser(ui: SimpleNamespace) -> object:
    return ui.Analyser(ui.report())


@pytest.fixture
def client(ui: SimpleNamespace, analyser: object, planted_exports: list) -> Iterator[TestClient]:
    limits = Limits(max_upload_bytes=100_000, max_disk_bytes=1_000_000)
    app = create_app(dict(planted=analyser), limits=limits)
    with TestClient(app, base_url=ui.base_url) as client:
        yield client


def root_of(client: TestClient) -> Path:
    return client.app.state.service.root


def files_of(client: TestClient) -> list[Path]:
    files = [path for path in root_of(client).rglob('*') if path.is_file()]
    return [path for path in files if path != root_of(client) / 'lock']


def test_upload_analyse_and_read(
    ui: SimpleNamespace, client: TestClient, analyser: object, video: Path
) -> None:
    uploaded = ui.upload(client, video)
    assert uploaded['name'] == 'tiny clip.mp4'
    assert uploaded['size'] == video.stat().st_size
    job = ui.start(client, uploaded)
    done = ui.wait_for(client, job['id'], 'done')
    assert done['progress'] == 1
    content = client.get(f'/api/jobs/{job["id"]}/report').json()
    expected = replace(analyser.report, video='tiny clip.mp4')
    assert EmotionReport.from_dict(content) == expected
    assert analyser.calls[0][1] is None


def test_progress_is_told_while_it_works(
    ui: SimpleNamespace, client: TestClient, analyser: object, video: Path
) -> None:
    analyser.may_go_on.clear()
    job = ui.start(client, ui.upload(client, video))
    while (now := client.get(f'/api/jobs/{job["id"]}').json())['progress'] == 0:
        assert now['state'] in ('queued', 'running')
    assert (now['state'], now['progress'], now['message']) == ('running', 0.25, 'looking')
    early = client.get(f'/api/jobs/{job["id"]}/report')
    assert early.status_code == 409
    assert 'running' in early.json()['error']
    analyser.may_go_on.set()
    ui.wait_for(client, job['id'], 'done')


def test_transcript_is_handed_on(
    ui: SimpleNamespace, client: TestClient, analyser: object, video: Path
) -> None:
    uploaded = ui.upload(client, video)
    url = f'/api/videos/{uploaded["id"]}/transcript'
    text = '1\n00:00:00,000 --> 00:00:02,000\nwhat a happy party\n'
    broken = client.post(url, params=dict(name='a.srt'), content=b'no subtitle')
    assert broken.status_code == 415
    assert broken.json()['error'].startswith('a.srt: ')
    assert client.post(url, params=dict(name='a.exe'), content=text).status_code == 415
    assert client.post(url, params=dict(name='../a.srt'), content=text).status_code == 201
    ui.wait_for(client, ui.start(client, uploaded)['id'], 'done')
    assert analyser.calls[0][1] == text
    assert len(files_of(client)) == 2  # the video and the good one


@pytest.mark.parametrize(
    ('asked', 'part'),
    [('bytes=5-9', slice(5, 10)), ('bytes=100-', slice(100, None)), ('bytes=-7', slice(-7, None))],
)
def test_ranges(
    ui: SimpleNamespace, client: TestClient, video: Path, asked: str, part: slice
) -> None:
    content = video.read_bytes()
    url = f'/api/videos/{ui.upload(client, video)["id"]}/media'
    whole = client.get(url)
    assert (whole.status_code, whole.headers['accept-ranges']) == (200, 'bytes')
    assert whole.headers['content-type'] == 'video/mp4'
    assert whole.content == content
    answer = client.get(url, headers=dict(range=asked))
    assert answer.status_code == 206
    assert answer.content == content[part]
    first = range(len(content))[part][0]
    last = range(len(content))[part][-1]
    assert answer.headers['content-range'] == f'bytes {first}-{last}/{len(content)}'
    beyond = client.get(url, headers=dict(range=f'bytes={len(content)}-'))
    assert beyond.status_code == 416


def test_exports(
    ui: SimpleNamespace, client: TestClient, analyser: object, video: Path, planted_exports: list
) -> None:
    job = ui.start(client, ui.upload(client, video, '../a "b";\r\n.mp4'))
    ui.wait_for(client, job['id'], 'done')
    url = f'/api/jobs/{job["id"]}/exports'
    single = client.get(f'{url}/json')
    assert EmotionReport.from_dict(single.json()).segments == analyser.report.segments
    assert single.headers['content-disposition'] == 'attachment; filename="a__b__-planted.json"'
    several = client.get(f'{url}/csv')
    assert '.csv.zip' in several.headers['content-disposition']
    archive = zipfile.ZipFile(io.BytesIO(several.content))
    assert {name: archive.read(name) for name in archive.namelist()} == {
        'segments.csv': b'segments', 'words.csv': b'words',
    }  # fmt: skip
    client.get(f'{url}/json')
    assert planted_exports == ['json', 'csv']  # what is made is kept
    unknown = client.get(f'{url}/jsn')
    assert unknown.status_code == 404
    assert "did you mean 'json'" in unknown.json()['error']
    assert client.get(f'{url}/..%2f..%2fetc').status_code == 404


def test_slow_export_is_a_job(
    ui: SimpleNamespace, client: TestClient, video: Path, planted_exports: list
) -> None:
    job = ui.start(client, ui.upload(client, video))
    ui.wait_for(client, job['id'], 'done')
    url = f'/api/jobs/{job["id"]}/exports/overlay'
    assert client.get(url).status_code == 409
    made = client.post(url)
    assert made.status_code == 202
    ui.wait_for(client, made.json()['id'], 'done')
    assert client.get(url).content == b'moving pictures'
    assert client.post(url).json()['id'] == made.json()['id']
    assert planted_exports == ['overlay']


def test_real_exports(ui: SimpleNamespace, video: Path) -> None:
    """Every format that is written in one piece comes over HTTP."""
    exports = pytest.importorskip('mart_mm.exports', reason='exports are not installed')
    from mart_mm.ui.exporting import SLOW_FORMATS

    analyser = ui.Analyser(ui.report())
    with TestClient(create_app(dict(planted=analyser)), base_url=ui.base_url) as client:
        job = ui.start(client, ui.upload(client, video))
        ui.wait_for(client, job['id'], 'done')
        quick = [name for name in exports.FORMATS if name not in SLOW_FORMATS]
        assert {'json', 'csv', 'srt'} <= set(quick)
        for name in quick:
            answer = client.get(f'/api/jobs/{job["id"]}/exports/{name}')
            assert answer.status_code == 200, (name, answer.text)
            assert answer.content
        content = client.get(f'/api/jobs/{job["id"]}/exports/json').json()
        assert EmotionReport.from_dict(content).words == analyser.report.words


@pytest.mark.parametrize(
    ('name', 'content', 'words'),
    [
        ('notes.txt', b'plain', 'ends in one of'),
        ('video', b'plain', 'ends in one of'),
        ('clip.mp4', b'this is no video', 'no video that can be opened'),
        ('clip.mp4', b'', 'empty'),
        ('list.mp4', b'#EXTM3U\n#EXTINF:9,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n', 'no video'),
        ('list.mp4', b"ffconcat version 1.0\nfile '/etc/passwd'\n", 'no video'),
        ('said.mp4', b'1\n00:00:00,000 --> 00:00:02,000\nhello\n', 'no video'),
    ],
)
def test_what_is_no_video_is_refused(
    client: TestClient, name: str, content: bytes, words: str
) -> None:
    answer = client.post('/api/videos', params=dict(name=name), content=content)
    assert answer.status_code in (400, 415)
    assert words in answer.json()['error']
    assert str(root_of(client)) not in answer.text
    assert files_of(client) == []
    assert client.get('/api/config').json()['videos'] == []


def test_too_large(client: TestClient) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(300):
            yield bytes(1000)

    announced = client.post('/api/videos?name=a.mp4', content=bytes(100_001))
    streamed = client.post('/api/videos?name=a.mp4', content=endless())
    for answer in (announced, streamed):
        assert answer.status_code == 413
        assert 'larger than 100,000 bytes' in answer.json()['error']
    assert files_of(client) == []


@pytest.mark.parametrize(
    'name', ['../../../tmp/out.mp4', '..\\out.mp4', '/abs/out.mp4', '%2e%2e%2fout.mp4', 'out.mp4']
)
def test_names_lead_nowhere(
    ui: SimpleNamespace, client: TestClient, video: Path, name: str
) -> None:
    uploaded = ui.upload(client, video, name)
    assert uploaded['name'].endswith('out.mp4')
    assert '/' not in uploaded['name'] and '\\' not in uploaded['name']
    (path,) = files_of(client)
    assert path.name == 'media.mp4'
    assert path.resolve().is_relative_to(root_of(client).resolve())


@pytest.mark.parametrize(
    'url',
    [
        '/api/videos/..%2f..%2f..%2fetc%2fpasswd/media',
        '/api/videos/%2fetc%2fpasswd/media',
        '/static/..%2fapp.py',
        '/static/%2e%2e/app.py',
        '/api/jobs/..%2fx/report',
    ],
)
def test_paths_in_urls_lead_nowhere(client: TestClient, url: str) -> None:
    assert client.get(url).status_code == 404


def test_folder_offers_its_videos_only(
    ui: SimpleNamespace, video: Path, tmp_path: Path, planted_exports: list
) -> None:
    folder = tmp_path / 'videos'
    folder.mkdir()
    (folder / 'one.mp4').write_bytes(video.read_bytes())
    (folder / 'broken.mp4').write_bytes(b'nothing')
    (folder / 'notes.txt').write_text('private')
    (folder / 'link.mp4').symlink_to(video)
    analyser = ui.Analyser(ui.report())
    app = create_app(dict(planted=analyser), folder=folder)
    with TestClient(app, base_url=ui.base_url) as client:
        (folder / 'later.mp4').write_bytes(video.read_bytes())
        videos = {one['name']: one for one in client.get('/api/config').json()['videos']}
        assert set(videos) == {'one.mp4', 'broken.mp4'}
        one = videos['one.mp4']
        assert str(tmp_path) not in json.dumps(one)
        assert 'one' not in one['id']
        assert client.get(f'/api/videos/{one["id"]}/media').content == video.read_bytes()
        ui.wait_for(client, ui.start(client, one)['id'], 'done')
        assert analyser.calls[0][0] == folder / 'one.mp4'
        broken = client.post(
            '/api/jobs', json=dict(video=videos['broken.mp4']['id'], model='planted')
        )
        assert broken.status_code == 415
        assert broken.json()['error'].startswith('broken.mp4: ')
        beside = client.post(f'/api/videos/{one["id"]}/transcript?name=a.srt', content=b'x')
        assert beside.status_code == 400
    assert (folder / 'one.mp4').is_file()


@pytest.mark.parametrize(
    ('host', 'status'),
    [
        ('127.0.0.1:8765', 200),
        ('localhost', 200),
        ('[::1]:8765', 200),
        ('evil.example', 421),
        ('evil.example:8765', 421),
        ('127.0.0.1.evil.example', 421),
        ('127.0.0.1@evil.example', 421),
        ('', 421),
    ],
)
def test_foreign_host_is_refused(client: TestClient, host: str, status: int) -> None:
    assert client.get('/api/jobs', headers=dict(host=host)).status_code == status


@pytest.mark.parametrize(
    ('headers', 'is_refused'),
    [
        ({}, False),
        ({'origin': 'http://127.0.0.1:8765'}, False),
        ({'origin': 'http://evil.example'}, True),
        ({'origin': 'http://127.0.0.1:9999'}, True),
        ({'origin': 'null'}, True),
        ({'sec-fetch-site': 'same-origin'}, False),
        ({'sec-fetch-site': 'cross-site'}, True),
        ({'sec-fetch-site': 'same-site'}, True),
    ],
)
def test_foreign_origin_is_refused(client: TestClient, headers: dict, is_refused: bool) -> None:
    answer = client.post('/api/jobs', json={}, headers=headers)
    assert answer.status_code == (403 if is_refused else 400)
    upload = client.post('/api/videos?name=a.mp4', content=b'x', headers=headers)
    assert (upload.status_code == 403) == is_refused


def test_every_answer_is_guarded(client: TestClient) -> None:
    answers = [client.get(url) for url in ('/', '/static/js/main.js', '/api/jobs', '/nowhere')]
    answers.append(client.get('/', headers=dict(host='evil.example')))
    assert [answer.status_code for answer in answers] == [200, 200, 200, 404, 421]
    for answer in answers:
        policy = answer.headers['content-security-policy']
        assert "default-src 'none'" in policy
        assert 'unsafe' not in policy and 'http' not in policy
        assert answer.headers['x-content-type-options'] == 'nosniff'


def test_page_loads_nothing_from_elsewhere(client: TestClient) -> None:
    files = [path for path in STATIC.rglob('*') if path.is_file()]
    assert len(files) > 10
    for path in files:
        text = path.read_text().replace('http://www.w3.org/2000/svg', '')
        assert 'http:' not in text and 'https:' not in text, path
        assert 'innerHTML' not in text and 'insertAdjacentHTML' not in text, path
        url = '/' if path.name == 'index.html' else f'/static/{path.relative_to(STATIC)}'
        assert client.get(url).text == path.read_text()


def test_cancel_while_running_and_while_waiting(
    ui: SimpleNamespace, client: TestClient, analyser: object, video: Path
) -> None:
    analyser.may_go_on.clear()
    uploaded = ui.upload(client, video)
    running, waiting = ui.start(client, uploaded), ui.start(client, uploaded)
    ui.wait_for(client, running['id'], 'running')
    for job in (waiting, running):
        assert client.post(f'/api/jobs/{job["id"]}/cancel').status_code == 202
        ui.wait_for(client, job['id'], 'cancelled')
    assert len(analyser.calls) == 1
    analyser.may_go_on.set()
    ui.wait_for(client, ui.start(client, uploaded)['id'], 'done')  # the worker goes on


def test_as_many_at_once_as_allowed(
    ui: SimpleNamespace, video: Path, planted_exports: list
) -> None:
    analyser = ui.Analyser(ui.report())
    analyser.may_go_on.clear()
    app = create_app(dict(planted=analyser), limits=Limits(num_workers=2, max_queued=3))
    with TestClient(app, base_url=ui.base_url) as client:
        uploaded = ui.upload(client, video)
        jobs = [ui.start(client, uploaded) for _ in range(2)]
        for job in jobs:
            ui.wait_for(client, job['id'], 'running')
        jobs += [ui.start(client, uploaded) for _ in range(3)]
        states = [client.get(f'/api/jobs/{job["id"]}').json()['state'] for job in jobs]
        assert states == ['running', 'running', 'queued', 'queued', 'queued']
        full = client.post('/api/jobs', json=dict(video=uploaded['id'], model='planted'))
        assert full.status_code == 429
        assert '3 jobs are waiting' in full.json()['error']
        analyser.may_go_on.set()
        for job in jobs:
            ui.wait_for(client, job['id'], 'done')
    assert analyser.most_at_once == 2


def test_failure_is_told_in_words(ui: SimpleNamespace, video: Path) -> None:
    class Fails:
        def __call__(self, path: Path, transcript: object, on_progress: object) -> None:
            raise ValueError(f'{path}: the picture is too small: 64 x 64 is needed')

    with TestClient(create_app(dict(planted=Fails())), base_url=ui.base_url) as client:
        job = ui.start(client, ui.upload(client, video))
        failed = ui.wait_for(client, job['id'], 'failed')
        assert failed['error'] == 'tiny clip.mp4: the picture is too small: 64 x 64 is needed'
        assert client.get(f'/api/jobs/{job["id"]}/report').status_code == 409


@pytest.mark.parametrize(
    'body', [b'', b'[]', b'{}', b'{"video": "x"}', b'\xff', b'{"video": [1], "model": "planted"}',
             b'{"video": "x", "model": ["planted"]}', b'{"video": "x", "model": "plante"}',
             b'[' * 4000, b'{"video": "x", "model": "\\ud800"}', b' ' * 5000],
)  # fmt: skip
def test_wrong_requests_are_explained(client: TestClient, body: bytes) -> None:
    answer = client.post('/api/jobs', content=body)
    assert answer.status_code in (400, 404, 413)
    assert answer.json()['error']


def test_old_uploads_make_room(ui: SimpleNamespace, planted_exports: list, video: Path) -> None:
    size = video.stat().st_size
    analyser = ui.Analyser(ui.report())
    limits = Limits(max_upload_bytes=size, max_disk_bytes=3 * size)
    app = create_app(dict(planted=analyser), limits=limits)
    with TestClient(app, base_url=ui.base_url) as client:
        first, second, third = (ui.upload(client, video, f'{n}.mp4') for n in range(3))
        analyser.may_go_on.clear()
        busy = ui.start(client, first)
        ui.wait_for(client, busy['id'], 'running')
        ui.upload(client, video, '3.mp4')  # the second goes: the first is in use
        names = [one['name'] for one in client.get('/api/config').json()['videos']]
        assert names == ['0.mp4', '2.mp4', '3.mp4']
        assert client.get(f'/api/videos/{second["id"]}/media').status_code == 404
        assert sum(path.stat().st_size for path in files_of(client)) <= 3 * size
        waiting = [ui.start(client, one) for one in client.get('/api/config').json()['videos']]
        full = client.post('/api/videos?name=4.mp4', content=video.read_bytes())
        assert full.status_code == 507
        analyser.may_go_on.set()
        for job in (busy, *waiting):
            ui.wait_for(client, job['id'], 'done')
        ui.upload(client, video, '5.mp4')
        assert client.get(f'/api/jobs/{busy["id"]}').status_code == 404  # went with its video
        assert client.get(f'/api/videos/{third["id"]}/media').status_code == 200


def test_results_are_bounded(ui: SimpleNamespace, planted_exports: list, video: Path) -> None:
    app = create_app(dict(planted=ui.Analyser(ui.report())), limits=Limits(max_results=2))
    with TestClient(app, base_url=ui.base_url) as client:
        uploaded = ui.upload(client, video)
        jobs = []
        for _ in range(4):
            jobs.append(ui.start(client, uploaded))
            ui.wait_for(client, jobs[-1]['id'], 'done')
            client.get(f'/api/jobs/{jobs[-1]["id"]}/exports/json')
        kept = [job['id'] for job in client.get('/api/jobs').json()]
        assert kept == [job['id'] for job in jobs[1:]]
        folders = {path.name for path in (root_of(client) / 'results').iterdir()}
        assert folders == set(kept)


def test_nothing_is_left(ui: SimpleNamespace, planted_exports: list, video: Path) -> None:
    analyser = ui.Analyser(ui.report())
    app = create_app(dict(planted=analyser))
    with TestClient(app, base_url=ui.base_url) as client:
        root = root_of(client)
        uploaded = ui.upload(client, video)
        job = ui.start(client, uploaded)
        ui.wait_for(client, job['id'], 'done')
        client.get(f'/api/jobs/{job["id"]}/exports/json')
        analyser.may_go_on.clear()
        ui.wait_for(client, ui.start(client, uploaded)['id'], 'running')
        assert len(files_of(client)) == 2
    assert not root.exists()
    assert analyser.running == 0  # what ran was cancelled


@pytest.mark.parametrize(
    ('options', 'words'),
    [
        (dict(analysers={}), 'at least one model'),
        (dict(folder='/nowhere/at/all'), '/nowhere/at/all'),
    ],
)
def test_wrong_arguments(options: dict, words: str) -> None:
    with pytest.raises((ValueError, NotADirectoryError), match=words):
        create_app(**(dict(analysers=dict(any=lambda *_: None)) | options))


@pytest.mark.parametrize(
    ('limits', 'words'),
    [
        (dict(max_upload_bytes=10, max_disk_bytes=9), 'max_upload_bytes=10 is more'),
        (dict(num_workers=0), 'num_workers must be at least 1'),
        (dict(max_results=-1), 'max_results must be at least 0'),
    ],
)
def test_wrong_limits(limits: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Limits(**limits)
