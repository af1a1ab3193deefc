"""Requests that no browser would send for the page itself; each is served or refused, in words."""

from __future__ import annotations

from page_bombs import bombs, no_videos
from page_client import Page, chunked

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
