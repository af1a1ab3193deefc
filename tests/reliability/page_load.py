"""Clients that are many, slow, gone, or after the same thing as others."""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

from page_client import Answer, Page, receive, send

from mart_mm.ui.limits import Limits


def parallel_uploads(page: Page, video: bytes, number: int, max_uploads: int) -> None:
    """Many uploads at the same moment; and one more than are taken."""
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
    for _ in range(
        20
    ):  # on a busy machine those that are held are cut off before the next one comes
        with ExitStack() as held:
            for index in range(max_uploads):
                link = held.enter_context(page.connect())
                head = page.head(
                    'POST', f'/api/videos?name=held{index}.mp4', Content_Length='65536'
                )
                send(link, [head, bytes(4096)])
            if page.upload(video, 'one more.mp4').status == 429:
                return
    raise AssertionError(f'more than {max_uploads} uploads are received at the same time')


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


def broken_uploads(page: Page, video: bytes, number: int) -> None:
    """Clients that go away in the middle of an upload, of videos and of subtitles in turn."""
    own = page.upload(video).json()['id']
    targets = ('/api/videos?name=a.mp4', f'/api/videos/{own}/transcript?name=a.srt')
    for index in range(number):
        with page.connect() as link:
            head = page.head('POST', targets[index % 2], Content_Length='1000000')
            send(link, [head, bytes(70_000)])
            if index % 4 < 2:  # by a reset
                link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
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
            assert page.note(receive(link)).status == 503
    for _ in range(600):
        with suppress(AssertionError):
            page.config()
            return
        time.sleep(0.1)
    raise AssertionError('the page does not answer')
