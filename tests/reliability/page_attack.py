"""Attack a running page: ``python tests/reliability/page_attack.py [--full]``.

By itself it starts a server and attacks that; ``--url``, ``--pid`` and ``--folder`` (where the server keeps
its files, ``mart_mm_ui_*`` among the temporary ones) name another one, such as that of ``mart-mm ui``.
It prints what became of the requests, and what the server used.
"""

from __future__ import annotations

import argparse
import signal
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import page_load
import page_requests
from page_bombs import small_video
from page_client import Meter, Page
from page_server import HOST, Playground, Server

from mart_mm.ui.limits import Limits

MIB = 2**20


def attacks(page: Page, video: bytes, limits: Limits, is_full: bool) -> dict[str, Callable]:
    """All that need nothing but a page, by what is attacked.

    Args:
        page: The page.
        video: A real one.
        limits: Those of its server.
        is_full: With the large numbers.
    """

    def count(few: int, many: int) -> int:
        return many if is_full else few

    def slow_clients() -> None:
        room = min(32 * MIB, limits.max_upload_bytes - len(video))
        large = page.upload(video + bytes(room), 'large.mp4').json()['id']
        target = f'/api/videos/{large}/media'
        page_load.slow_clients(page, target, count(9, 90), limits.patience)

    def ranges() -> None:
        own = page.upload(video).json()['id']
        page_requests.ranges(page, f'/api/videos/{own}/media')

    return {
        'names': partial(page_requests.names, page, video, count(9, 1)),
        'malformed requests': partial(page_requests.malformed, page),
        'other sites': partial(page_requests.foreign, page, video),
        'large bodies': partial(page_requests.large_bodies, page, count(20 * MIB, 2 * 10**9)),
        'files that are no videos': partial(page_requests.other_files, page, video, count(4, 1)),
        'parallel uploads': partial(
            page_load.parallel_uploads, page, video, count(8, 200), limits.max_uploads
        ),
        'cancelled jobs': partial(page_load.cancelled_jobs, page, video, count(30, 3000)),
        'ranges': ranges,
        'slow clients': slow_clients,
        'uploads that break off': partial(page_load.broken_uploads, page, video, count(6, 200)),
        'videos that must go': partial(page_load.removed_videos, page, video, limits),
        'connections': partial(
            page_load.idle_connections, page, limits.max_connections + count(10, 500)
        ),
    }


def main() -> None:
    """Attack, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        '--full', action='store_true', help='2 GB, 200 uploads, dozens of slow ones'
    )
    parser.add_argument('--url', help='of another server, which has the default limits')
    parser.add_argument('--pid', type=int, help='of its process')
    parser.add_argument('--folder', type=Path, help='where it keeps its files')
    args = parser.parse_args()
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        video, limits = small_video(root / 'video.mp4'), Limits()
        if args.url is None:
            server = Server(Playground(root, video, large_bytes=MIB), limits)
            stack.callback(server.stop, signal.SIGTERM)
            page, pid, folders = Page(HOST, server.port), server.pid, server.playground.own()
        else:
            place = urlsplit(args.url)
            page, pid = Page(place.hostname, place.port), args.pid
            folders = [args.folder] if args.folder else []
        meter = stack.enter_context(Meter(pid, folders))
        for name, attack in attacks(page, video, limits, args.full).items():
            start = time.monotonic()
            attack()
            page.config()
            print(
                f'{name}: {page.told()}; {meter.told()}; {time.monotonic() - start:.0f} s',
                flush=True,
            )
        print('\n'.join(page.broken) or 'no answer was broken')


if __name__ == '__main__':
    main()
