"""A browser for the tests of the page, and what they do in it."""

import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
import uvicorn

from mart_mm.ui.app import create_app

#: against hangs only: machines are slow and busy
TIMEOUT = 60.0  # seconds
CHROMIUM = shutil.which('chromium') or shutil.which('chromium-browser')
OPTIONS = (
    '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update',
    '--disable-sync', '--no-first-run', '--autoplay-policy=no-user-gesture-required',
)  # fmt: skip


@contextmanager
def serving(app: object) -> Iterator[str]:
    listener = socket.socket()
    listener.bind(('127.0.0.1', 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level='warning', timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs=dict(sockets=[listener]))
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield f'http://127.0.0.1:{listener.getsockname()[1]}/'
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@pytest.fixture(scope='module')
def chromium() -> Iterator[object]:
    playwright = pytest.importorskip('playwright.sync_api', reason='needs playwright')
    if CHROMIUM is None:
        pytest.skip('no chromium')
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=list(OPTIONS))
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: object) -> Iterator[object]:
    """Opens pages; what they complain of, and what they ask of elsewhere, fails the test."""
    contexts, complaints = [], []

    def complain(message: object) -> None:
        if message.type in ('error', 'warning'):
            complaints.append(message.text)

    def open_it(
        url: str,
        is_complaining: bool = True,
        routes: dict | None = None,
        wait_until: str = 'load',
        **options: object,
    ) -> object:
        context = chromium.new_context(**(dict(viewport=dict(width=1280, height=900)) | options))
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(1000 * TIMEOUT)
        if is_complaining:
            page.on('console', complain)
        page.on('pageerror', lambda error: complaints.append(str(error)))
        page.on('request', lambda sent: sent.url.startswith(url) or complaints.append(sent.url))
        for pattern, answer in (routes or {}).items():
            page.route(pattern, answer)
        page.goto(url, wait_until=wait_until)
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def server(ui: SimpleNamespace, planted_exports: list) -> Iterator[str]:
    analysers = dict(
        planted=ui.Analyser(ui.report()), other=ui.Analyser(ui.report(shift=0.5, with_masks=True))
    )
    with serving(create_app(analysers)) as url:
        yield url


def wait(page: object, is_so: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + TIMEOUT
    while not is_so():
        assert time.monotonic() < end, what
        page.wait_for_timeout(20)


def until(page: object, condition: str) -> None:
    """What Playwright's own waiting would do, were the page to allow strings as code."""
    wait(page, lambda: page.evaluate(condition), condition)


def order(page: object, *models: str) -> None:
    for model in models:
        page.get_by_label(model, exact=True).check()
    page.click('#analyse')


def analyse(page: object, file: object, *models: str) -> None:
    page.set_input_files('#file', file)
    order(page, *models)
    page.wait_for_selector('#results:not([hidden]) .cursor', state='attached')
    until(page, 'document.getElementById("video").readyState >= 1')


def axis(page: object) -> SimpleNamespace:
    """Where times are on the screen, in pixels of the page."""
    data = page.eval_on_selector('.area', 'node => ({...node.dataset})')
    left = page.locator('.area').bounding_box()['x'] + float(data['left'])
    start, end, width = (float(data[key]) for key in ('start', 'end', 'width'))
    return SimpleNamespace(
        x=lambda seconds: left + (seconds - start) / (end - start) * width, start=start, end=end
    )


def time_of(page: object) -> float:
    return page.eval_on_selector('#video', 'video => video.currentTime')


def cursor_x(page: object) -> float:
    box = page.locator('.cursor').bounding_box()
    return box['x'] + box['width'] / 2


def settle(page: object) -> None:
    """Two pictures of the screen later."""
    page.evaluate('() => new Promise(go => requestAnimationFrame(() => requestAnimationFrame(go)))')
