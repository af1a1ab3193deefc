"""Attacks on a running page: ``python tests/reliability/page_attack.py [--full]``.

By itself it starts a server and attacks that; with ``--url``, ``--folder`` (where the server keeps its
files) and ``--pid`` it attacks another one, such as that of ``mart-mm ui``. It prints what became of
each request, and what the server used.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

from page_bombs import bombs, no_videos
from page_client import Answer, Page, chunked, receive, send

from mart_mm.ui.limits import Limits

NAMES = (
    '../../out.mp4', '..\\..\\out.mp4', '/etc/out.mp4', 'C:\\out.mp4', '\\\\host\\out.mp4',
    '%2e%2e%2fout.mp4', '..%c0%afout.mp4', '....//out.mp4', 'a\0b.mp4', '\0.mp4', '.mp4', '..', '.',
    'CON.mp4', 'NUL', 'a' * 5000 + '.mp4', '\u202e4pm.exe.mp4', 'a\u200b\u200d\ufeff.mp4',
    'a\r\nSet-Cookie: b=c.mp4', '<img src=x onerror=alert(1)>.mp4', '"; rm -rf *;.mp4', '$(id).mp4',
    '\U0001f600.mp4', 'media.mp4/../../lock', 'file:///etc/passwd.mp4', 'http://evil.example/a.mp4',
)  # fmt: skip
_STATUS_REFUSED = range(400, 500)
WAYS_OUT = (
    '../secret.mp4', '../../secret.mp4', '..%2fsecret.mp4', '%2e%2e%2f%2e%2e%2fsecret.mp4',
    '..%5csecret.mp4', '%252e%252e%252fsecret.mp4', '/etc/passwd', '%2fetc%2fpasswd', '..', '.', '%00',
    'a%00.mp4', 'a' * 5000, 'out.mp4', 'one.mp4', '~', 'CON', '%ff%fe', '..;/secret.mp4', '*', '-1',
    '..%c0%af..%c0%afetc/passwd', '....//....//etc/passwd', 'uploads/../../secret.mp4',
)  # fmt: skip


def names(page: Page, video: bytes, step: int) -> None:
    """Names that lead elsewhere, in every place that takes a name or an id.

    Args:
        page: The page.
        video: Of which every so many names are given to an upload.
        step: Every how many.
    """
    for name in NAMES[::step]:
        answer = page.upload(video, name)
        assert answer.status in (201, 415), (name, answer)
        if answer.status == 201:
            shown = answer.json()['name']
            assert not set('/\\\0\r\n\u202e\u200b') & set(shown) and len(shown) <= 120, shown
    own = page.upload(video).json()['id']
    job = page.start(own, page.config()['models'][0]).json()['id']
    page.wait_for(job, 'done')
    for way in WAYS_OUT:
        for target in (
            f'/{way}', f'/static/{way}', f'/static/js/{way}', f'/api/videos/{way}/media',
            f'/api/videos/{own}/media/{way}', f'/api/jobs/{way}', f'/api/jobs/{way}/report',
            f'/api/jobs/{job}/exports/{way}',
        ):  # fmt: skip
            answer = page.ask('GET', target)
            is_page = way == '.' and b'<!doctype html>' in answer.body.lower()
            assert answer.status in _STATUS_REFUSED or is_page, (target, answer)
        for target in (f'/api/jobs/{way}/cancel', f'/api/jobs/{job}/exports/{way}'):
            assert page.ask('POST', target).status in _STATUS_REFUSED, target
        subtitles = page.ask('POST', f'/api/videos/{way}/transcript?name=a.srt', b'1')
        assert subtitles.status in _STATUS_REFUSED
        assert page.start(way, page.config()['models'][0]).status in _STATUS_REFUSED, way
        assert page.start(own, way).status in _STATUS_REFUSED, way


def malformed(page: Page) -> None:
    """What is no request, or another one than it seems."""
    post = page.head('POST', '/api/jobs', Content_Length='2')
    upload = '/api/videos?name=a.mp4'
    for pieces in (
        (b'\0' * 1000,), (b'\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03' + b'a' * 300,),
        (b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',), (b'GET / HTTP/9.9\r\n\r\n',), (b'GET /\r\n\r\n',),
        (b'GET / HTTP/1.1\r\n\r\n',), (b'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',),
        (b'GET / HTTP/1.1\r\nHost: a\r\nbroken\r\n\r\n',), (b'G' * 100_000,),
        (page.head('GET', '/' + 'a' * 70_000),), (page.head('GET', '/', X='a' * 1_000_000),),
        (page.head('GET', '/', **{f'X{n}': 'a' for n in range(20_000)}),),
        (page.head('GET', 'http://evil.example/'),), (page.head('CONNECT', 'evil.example:443'),),
        (page.head('OPTIONS', '*'),), (page.head('TRACE', '/'),), (page.head('DELETE', '/'),),
        (page.head('PUT', '/static/js/main.js', Content_Length='1'), b'a'),
        (page.head('PATCH', '/api/config'),), (page.head('GET', '/api/jobs/a/cancel'),),
        (page.head('POST', '/'),), (page.head('a' * 5000, '/'),), (page.head('GET', '/\xff\xfe'),),
        (page.head('POST', upload, Content_Length='-1'),), (page.head('POST', upload),),
        (page.head('POST', upload, Content_Length='9' * 5000), b'a'),
        (page.head('POST', upload, Content_Length='1, 2'), b'aa'),
        (page.head('POST', upload, Content_Length='0x10'), b'a' * 16),
        (page.head('POST', upload, Transfer_Encoding='gzip, chunked'), b'0\r\n\r\n'),
        (page.head('POST', upload, Transfer_Encoding='chunked'), b'zz\r\n'),
        (page.head('POST', upload, Transfer_Encoding='chunked'), b'f' * 100 + b'\r\n'),
        (page.head('POST', upload, Transfer_Encoding='chunked', Content_Length='3'), b'0\r\n\r\n'),
        (post, b'{}', b'more than was announced' * 1000), (post, b'[]'), (post, b'\xff\xfe'),
    ):  # fmt: skip
        answer = page.say(*pieces)
        assert not answer.status or answer.status in range(400, 502), (pieces[0][:200], answer)
    for body in (
        b'[' * 4000, b'{"video": "\\ud800", "model": "\\udfff"}', b'{"a":' * 500,
        b'{"video": "a", "model": "' + b'm' * 4000 + b'"}', b'{"video": NaN, "model": 1e999}',
        b'{"video": "a", "model": "b"}' + b' ' * 10**6, b'"' + b'\\u0000' * 600 + b'"',
    ):  # fmt: skip
        assert page.ask('POST', '/api/jobs', body).status in _STATUS_REFUSED, body[:100]


def foreign(page: Page, video: bytes) -> None:
    """Requests that a browser sends for the pages of other sites."""
    here = f'http://{page.host}:{page.port}'
    for host in (
        'evil.example', f'evil.example:{page.port}', '127.0.0.1.evil.example', f'{page.host}.',
        '127.0.0.1@evil.example', '0.0.0.0', '[::ffff:7f00:1]', '2130706433', '', ' ', '[', 'a' * 5000,
    ):  # fmt: skip
        for method, target in (('GET', '/api/config'), ('POST', '/api/jobs'), ('GET', '/')):
            answer = page.ask(method, target, Host=host)
            assert answer.status in (400, 421), (host, answer)
    for headers in (
        dict(Origin='http://evil.example'), dict(Origin='null'), dict(Origin=f'{here}.evil.example'),
        dict(Origin=f'http://{page.host}:1'), dict(Origin=''), dict(Sec_Fetch_Site='cross-site'),
        dict(Sec_Fetch_Site='same-site'), dict(Origin=f'{here}, http://evil.example'),
    ):  # fmt: skip
        for target, body in (
            ('/api/jobs', b'{}'), ('/api/videos?name=a.mp4', video), ('/api/jobs/a/cancel', b''),
            ('/api/jobs/a/exports/overlay', b''), ('/api/videos/a/transcript?name=a.srt', b'1'),
        ):  # fmt: skip
            kind = 'application/x-www-form-urlencoded'
            answer = page.ask('POST', target, body, Content_Type=kind, **headers)
            assert answer.status == 403, (headers, target, answer)
        page.ask(
            'GET', '/api/config', **headers
        )  # Page.note sees to it that no other site may read
    preflight = dict(
        Origin='http://evil.example', Access_Control_Request_Method='POST',
        Access_Control_Request_Headers='content-type', Access_Control_Request_Private_Network='true',
    )  # fmt: skip
    assert page.ask('OPTIONS', '/api/jobs', **preflight).status == 403
    upgrade = dict(
        Connection='Upgrade, close', Upgrade='websocket', Sec_WebSocket_Version='13',
        Sec_WebSocket_Key='dGhlIHNhbXBsZSBub25jZQ==', Origin='http://evil.example',
    )  # fmt: skip
    for target in ('/', '/api/jobs'):
        assert page.ask('GET', target, **upgrade).status != 101


def large_bodies(page: Page, size: int) -> None:
    """Bodies of so many bytes and more than are taken, announced and not."""
    limit = page.config()['max_upload_bytes']
    target = '/api/videos?name=a.mp4'
    over = max(size, limit + 2**20)
    answers = [
        page.say(page.head('POST', target, Content_Length=str(over)), chunked(over)),
        page.say(page.head('POST', target, Transfer_Encoding='chunked'), chunked(over)),
        page.say(page.head('POST', '/api/jobs', Transfer_Encoding='chunked'), chunked(size)),
        page.say(
            page.head('POST', '/api/jobs/a/cancel', Transfer_Encoding='chunked'), chunked(size)
        ),
    ]
    assert [answer.status for answer in answers] == [413, 413, 413, 404], answers
    fits = min(size, limit)
    answer = page.say(page.head('POST', target, Transfer_Encoding='chunked'), chunked(fits))
    assert answer.status == 415, answer  # it is received whole, and is no video
    tiny = page.head('POST', target, Transfer_Encoding='chunked')
    assert page.say(tiny, chunked(20_000, piece=1)).status == 415


def other_files(page: Page, video: bytes, step: int) -> None:
    """Files that are no videos, that announce too much, and that are two things at once.

    Args:
        page: The page.
        video: A real one.
        step: Every how many of them.
    """
    for name, content in list(no_videos(video).items())[::step]:
        answer = page.upload(content, name)
        assert answer.status in (400, 415), (name, answer)
    packed = page.ask('POST', '/api/videos?name=a.mp4', no_videos(video)['packed_video.mp4'],
                      Content_Encoding='gzip')  # fmt: skip
    assert packed.status == 415
    for name, content in list(bombs(video).items())[::step]:
        answer = page.upload(content, name)
        assert answer.status in (201, 415), (name, answer)
        is_announced = name.startswith(('frames', 'a_thousand', 'png_16000'))
        assert answer.status == 415 or not is_announced, (name, answer)
    both = page.upload(video + b'<script>alert(1)</script>', 'both.html.mp4')
    assert both.status == 201
    for accept in ('text/html', '*/*'):
        served = page.ask('GET', f'/api/videos/{both.json()["id"]}/media', Accept=accept)
        assert served.headers['content-type'] == 'video/mp4'
        assert served.headers['x-content-type-options'] == 'nosniff'
        assert "default-src 'none'" in served.headers['content-security-policy']
        assert served.headers['cross-origin-resource-policy'] == 'same-origin'


def parallel_uploads(page: Page, video: bytes, number: int) -> None:
    """Many uploads at the same moment."""
    together = threading.Barrier(number)

    def upload(index: int) -> Answer:
        together.wait(60)
        return page.upload(video, f'{index}.mp4')

    with ThreadPoolExecutor(number) as threads:
        answers = list(threads.map(upload, range(number)))
    assert {answer.status for answer in answers} <= {201, 429, 503, 507, 0}
    assert any(answer.status == 201 for answer in answers)
    kept = {one['id'] for one in page.config()['videos']}
    assert kept & {answer.json()['id'] for answer in answers if answer.status == 201}


def cancelled_jobs(page: Page, video: bytes, number: int) -> None:
    """Jobs that are started and cancelled at once, behind one that takes long."""
    own, model = page.upload(video).json()['id'], page.config()['models'][-1]
    running = page.start(own, model).json()['id']
    page.wait_for(running, 'running')

    def start_and_cancel(_: int) -> None:
        started = page.start(own, model)
        assert started.status in (202, 429, 503), started
        if started.status == 202:
            cancelled = page.ask('POST', f'/api/jobs/{started.json()["id"]}/cancel')
            assert cancelled.status in (202, 404, 503), cancelled

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(start_and_cancel, range(number)))
    assert page.wait_for(running, 'running')
    for _ in range(3):
        page.ask('POST', f'/api/jobs/{running}/cancel')
    page.wait_for(running, 'cancelled')
    for job in page.config()['jobs']:
        if job['state'] in ('queued', 'running', 'cancelling'):
            page.ask('POST', f'/api/jobs/{job["id"]}/cancel')
            page.wait_for(job['id'], 'cancelled')
    again = page.start(own, page.config()['models'][0])
    page.wait_for(again.json()['id'], 'done')


def ranges(page: Page, target: str) -> None:
    """Parts of a file that are many, reversed, huge or nonsense."""
    size = int(page.ask('HEAD', target).headers['content-length'])
    for wanted, statuses in (
        ('bytes=0-0', (206,)), ('bytes=5-2', (400, 416)), (f'bytes={size}-', (416,)),
        ('bytes=' + '9' * 400 + '-', (416,)), ('bytes=-' + '9' * 400, (200, 206)),
        ('bytes=' + ','.join(['0-']  * 1300), (200, 206, 400, 416)), ('bytes=--5', (400, 416)),
        ('bytes=' + ','.join(f'{n}-{n}' for n in range(0, 180, 2)), (206,)), ('bytes=a-b', (400,)),
        ('bytes=0-0,' * 50 + '0-1', (206, 400)), ('bytes=', (400,)), ('items=0-1', (400,)),
        ('bytes=0-' + '9' * 5000, (200, 206, 400)), ('bytes=1_0-2_0', (206, 400)),
    ):  # fmt: skip
        answer = page.ask('GET', target, Range=wanted)
        assert answer.status in statuses, (wanted[:80], answer.status)
        assert len(answer.body) <= 2 * size + 100_000


def slow_clients(page: Page, large: str, number: int, patience: float) -> None:
    """Many that are slow in every way, while others are answered; all are cut off in the end."""
    upload = page.head('POST', '/api/videos?name=a.mp4', Content_Length='1000000')
    beginnings = (
        b'', b'GET / HT', page.head('GET', '/')[:-2], upload, page.head('GET', '/')[:-4] + b'\r\nX: ',
        page.head('POST', '/api/jobs', Transfer_Encoding='chunked'),
        page.head('POST', '/api/jobs/a/cancel', Content_Length='1000000'),
        page.head('GET', large), page.head('GET', large) * 20,
    )  # fmt: skip
    with ExitStack() as open_links:
        links = []
        for index in range(number):
            link = open_links.enter_context(page.connect(receive=4096))
            send(link, [beginnings[index % len(beginnings)]])
            links.append(link)
        start = time.monotonic()
        while time.monotonic() - start < patience:
            for link in links:
                with suppress(OSError):
                    link.send(b'a')
            page.config()
            page.note(page.ask('GET', '/'))
            time.sleep(0.2)
        for link in links:
            _wait_until_cut(page, link)


def _wait_until_cut(page: Page, link: socket.socket) -> None:
    """It goes on sending a byte now and then, and reads nothing before it is cut."""
    for _ in range(1200):
        try:
            link.send(b'a')
        except OSError:
            page.note(receive(link))
            return
        time.sleep(0.05)
    raise AssertionError('a client that does not go on is kept')


def broken_uploads(page: Page, number: int) -> None:
    """Clients that go away in the middle of an upload."""
    for index in range(number):
        link = page.connect()
        send(
            link,
            [page.head('POST', '/api/videos?name=a.mp4', Content_Length='1000000'), bytes(70_000)],
        )
        if index % 2:
            link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')
        link.close()
        page.counts['left by the client'] += 1


def removed_videos(page: Page, video: bytes, limits: Limits) -> None:
    """Uploads that must make room while they are analysed, played and exported."""
    quick, slow = (page.config()['models'][index] for index in (0, -1))
    padded = video + bytes(min(6 * 2**20, limits.max_upload_bytes // 2))
    busy = page.upload(video).json()['id']
    running = page.start(busy, slow).json()['id']
    gone = page.upload(padded).json()['id']
    done = page.start(gone, quick).json()['id']
    page.wait_for(running, 'running')
    if limits.num_workers == 1:  # the slow one has the only worker
        page.ask('POST', f'/api/jobs/{running}/cancel')
    page.wait_for(done, 'done')
    running = page.start(busy, slow).json()['id']
    page.wait_for(running, 'running')
    exports = [f'/api/jobs/{done}/exports/{name}' for name in ('json', 'csv', 'srt', 'eaf')] * 3
    with page.connect(receive=4096) as player, ThreadPoolExecutor(len(exports)) as threads:
        player.sendall(page.head('GET', f'/api/videos/{gone}/media'))
        beginning = player.recv(1000)
        made = [threads.submit(page.ask, 'GET', target) for target in exports]
        _take_all_room(page, limits)
        assert {answer.result().status for answer in made} <= {200, 404, 409, 422, 507}
        for _ in range(100):  # an export that is being written keeps its video
            _take_all_room(page, limits)
            if page.ask('GET', f'/api/videos/{gone}/media').status == 404:
                break
        else:
            raise AssertionError('the upload made no room')
        for target in (f'/api/jobs/{done}', f'/api/jobs/{done}/report', *exports):
            assert page.ask('GET', target).status == 404
        assert page.start(gone, quick).status == 404
        assert page.ask('GET', f'/api/videos/{busy}/media').body == video
        page.wait_for(running, 'running')
        content = beginning
        with suppress(ConnectionError):
            while part := player.recv(2**16):
                content += part
        assert (b'\r\n\r\n' + padded).startswith(content[content.index(b'\r\n\r\n') :])
    page.ask('POST', f'/api/jobs/{running}/cancel')
    page.wait_for(running, 'cancelled')


def _take_all_room(page: Page, limits: Limits) -> None:
    """Uploads of unknown size, of which nothing comes."""
    head = page.head('POST', '/api/videos?name=a.mp4', Transfer_Encoding='chunked')
    with ExitStack() as open_links:
        for _ in range(limits.max_disk_bytes // limits.max_upload_bytes):
            open_links.enter_context(page.connect()).sendall(head)
        page.config()


def changed_files(page: Page, video: bytes, path: Path, secret: Path) -> None:
    """A video of the folder that becomes a link out of it, a pipe, a folder, and goes."""
    target = f'/api/videos/{page.video(path.name)}/media'
    assert page.ask('GET', target).body == video

    for change in (lambda: path.symlink_to(secret), lambda: os.mkfifo(path), path.mkdir, str):
        _remove(path)
        change()  # the last one does nothing
        answer = page.ask('GET', target)
        assert answer.status == 404 and secret.read_bytes() not in answer.body
        assert page.start(page.video(path.name), page.config()['models'][0]).status == 404
    _remove(path)
    path.write_bytes(video)
    assert page.ask('GET', target).body == video


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    else:
        path.unlink(missing_ok=True)


def idle_connections(page: Page, number: int) -> None:
    """More connections than are taken; when they are gone the page answers again."""
    with ExitStack() as open_links:
        links = [open_links.enter_context(page.connect()) for _ in range(number)]
        for link in links[-5:]:
            assert page.note(receive(link)).status in (0, 503)
    for _ in range(600):
        with suppress(AssertionError):
            page.config()
            return
        time.sleep(0.1)
    raise AssertionError('the page does not answer')
