"""The page in a browser, served by a real server."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from mart_mm.ui.app import create_app
from mart_mm.ui.limits import Limits
from mart_mm.utils.media_writer import write_video
from tests.ui.browser import TIMEOUT, analyse, axis, cursor_x, serving, settle, time_of, until


def test_upload_look_seek_and_save(
    ui: SimpleNamespace, server: str, open_page: object, video: Path, tmp_path: Path
) -> None:
    page, report = open_page(server), ui.report()
    analyse(page, video)
    assert page.locator('.summary .big').inner_text() == 'joy, positive'
    assert page.locator('.curve polyline').count() == len(ui.classes)
    labels = page.locator('.curve text.name').all_text_contents()
    assert sorted(labels) == sorted(ui.classes)

    curve = page.locator('.curve svg')
    for seconds in (1.0, 3.25):
        place = axis(page).x(seconds) - curve.bounding_box()['x']
        curve.click(position=dict(x=place, y=60))
        assert time_of(page) == pytest.approx(seconds, abs=0.02)
        settle(page)
        assert cursor_x(page) == pytest.approx(axis(page).x(seconds), abs=1.5)
        segment = report.segments[int(seconds / 0.5)]
        shown = page.locator('.classes li .value:nth-child(3)').all_inner_texts()
        assert shown == [f'{round(100 * value)} %' for value in segment.distribution]

    words = page.locator('.word')
    assert words.all_inner_texts() == [word.word for word in report.words]
    for number, word in enumerate(report.words):
        assert words.nth(number).bounding_box()['x'] == pytest.approx(
            axis(page).x(word.start), abs=1.5
        )
    levels = [words.nth(n).get_attribute('class').split()[1] for n in range(4)]
    assert levels == ['found', 'e1', 'e2', 'e3']
    words.nth(6).click()
    assert time_of(page) == pytest.approx(report.words[6].start, abs=0.02)
    words.nth(1).hover()
    tooltip = page.locator('#tooltip')
    assert 'Passed E1, dropped at E2: its emotion is disgust' in tooltip.inner_text()

    with page.expect_download() as saving:
        page.click('a[data-format="json"]')
    assert saving.value.suggested_filename == 'tiny_clip-planted.json'
    saved = json.loads(Path(saving.value.path()).read_text())
    assert saved == report.to_dict() | dict(video='tiny clip.mp4')
    with page.expect_download() as saving:
        page.click('button[data-format="overlay"]')
    assert Path(saving.value.path()).read_bytes() == b'moving pictures'


def test_cursor_moves_with_the_sound(server: str, open_page: object, video: Path) -> None:
    page = open_page(server)
    analyse(page, video)
    page.keyboard.press('Space')
    until(page, 'document.getElementById("video").currentTime > 0.3')
    pairs = page.evaluate("""() => new Promise(done => {
        const [video, found] = [document.getElementById('video'), []]
        const look = () => {
            const at = new DOMMatrix(getComputedStyle(document.querySelector('.cursor')).transform).e
            found.push([video.currentTime, at])
            if (found.length < 12) requestAnimationFrame(look); else done(found)
        }
        requestAnimationFrame(look)
    })""")
    page.keyboard.press('Space')
    assert page.eval_on_selector('#video', 'video => video.paused')
    data = page.eval_on_selector('.area', 'node => ({...node.dataset})')
    assert pairs[-1][0] > pairs[0][0]
    for seconds, x in pairs:  # the time may have gone on by a picture or two since it was drawn
        expected = float(data['left']) + seconds / 4 * float(data['width'])
        assert x == pytest.approx(expected, abs=0.1 / 4 * float(data['width']))


def test_keyboard(ui: SimpleNamespace, server: str, open_page: object, video: Path) -> None:
    page = open_page(server)
    analyse(page, video)
    ruler = page.get_by_role('slider', name='Time in the video')
    ruler.focus()
    for keys, seconds in ((['ArrowRight'] * 2, 2), (['ArrowLeft'], 1), (['End'], 4), (['Home'], 0)):
        for key in keys:
            page.keyboard.press(key)
        assert time_of(page) == pytest.approx(seconds, abs=0.05)
    settle(page)
    segment = ui.report().segments[0]
    assert ruler.get_attribute('aria-valuetext').startswith(f'0:00, {segment.emotion}')
    page.keyboard.press('+')
    assert axis(page).end - axis(page).start == pytest.approx(2)
    page.keyboard.press('-')
    assert axis(page).end == pytest.approx(4)
    page.locator('.word').first.focus()
    page.keyboard.press('ArrowRight')
    page.keyboard.press('ArrowRight')
    assert page.evaluate('document.activeElement.textContent') == ui.report().words[2].word
    page.keyboard.press('Enter')
    assert time_of(page) == pytest.approx(ui.report().words[2].start, abs=0.02)


def test_two_models_on_one_axis(
    ui: SimpleNamespace, server: str, open_page: object, video: Path
) -> None:
    page = open_page(server)
    analyse(page, video, 'planted', 'other')
    assert page.locator('.track').count() == 2
    pairs = zip(ui.report().segments, ui.report(shift=0.5).segments, strict=True)
    same = sum(a.emotion == b.emotion for a, b in pairs) / 8
    assert 0 < same < 1
    assert f'in {round(100 * same)} % of the time' in page.locator('#agreement').inner_text()
    first, second = (page.locator('.words').nth(n).locator('.word').nth(4) for n in (0, 1))
    assert first.bounding_box()['x'] == second.bounding_box()['x']
    page.reload()  # the server remembers
    page.wait_for_selector('.track >> nth=1')
    page.select_option('#result-b', '')
    until(page, 'document.querySelectorAll(".track").length === 1')


def test_tables_hold_every_segment_and_word(
    ui: SimpleNamespace, server: str, open_page: object, video: Path
) -> None:
    page, report = open_page(server), ui.report()
    analyse(page, video)
    for number, (rows, column) in enumerate(((report.segments, -1), (report.words, 1))):
        details = page.locator('#tables details').nth(number)
        details.locator('summary').click()
        details.locator('tbody tr').first.wait_for()
        cells = [row.split('\t') for row in details.locator('tbody tr').all_inner_texts()]
        wanted = [getattr(one, 'text', None) or one.word for one in rows]
        assert [row[column].strip() for row in cells] == wanted


def test_names_are_never_markup(server: str, open_page: object, video: Path) -> None:
    page = open_page(server)
    name = '<img src=x onerror=alert(1)>.mp4'
    analyse(page, dict(name=name, mimeType='video/mp4', buffer=video.read_bytes()))
    assert page.locator('img').count() == 0
    assert page.locator('.summary h3').inner_text() == f'{name}, planted'


def test_a_file_that_browsers_cannot_play_can_be_read(
    ui: SimpleNamespace, server: str, open_page: object, tmp_path: Path
) -> None:
    path = tmp_path / 'old.avi'
    write_video(path, np.zeros((32, 48, 64, 3), np.uint8), 8, codec='mpeg4')
    page = open_page(server, is_complaining=False)  # Chromium says so in the console too
    page.set_input_files('#file', path)
    page.click('#analyse')
    page.get_by_text('This browser cannot play the file').wait_for()
    place = axis(page).x(2.5) - page.locator('.curve svg').bounding_box()['x']
    page.locator('.curve svg').click(position=dict(x=place, y=60))
    settle(page)
    assert cursor_x(page) == pytest.approx(axis(page).x(2.5), abs=1.5)
    assert page.get_by_role('slider').get_attribute('aria-valuenow') == '2.5'


def test_errors_and_cancelling_are_in_words(
    ui: SimpleNamespace, planted_exports: list, chromium: object, video: Path
) -> None:
    slow, broken = ui.Analyser(ui.report()), ui.Analyser(ui.report(), ValueError('too dark'))
    slow.may_go_on.clear()
    with serving(create_app(dict(slow=slow, broken=broken), limits=Limits(num_workers=2))) as url:
        page = chromium.new_page()
        page.set_default_timeout(1000 * TIMEOUT)
        page.goto(url)
        page.click('#analyse')
        assert page.locator('#error').inner_text() == 'Choose a video first.'
        page.set_input_files('#file', dict(name='a.mp4', mimeType='video/mp4', buffer=b'no video'))
        page.click('#analyse')
        page.get_by_text('a.mp4: is no video that can be opened').wait_for()
        page.set_input_files('#file', video)
        page.get_by_label('broken').check()
        page.click('#analyse')
        page.locator('.job .error', has_text='too dark').wait_for()
        running = page.locator('.job', has_text='25 % looking')
        running.wait_for()
        running.get_by_role('button', name='Cancel').click()
        running.wait_for(state='detached')
        assert page.locator('#results').is_hidden()
        page.close()
    assert slow.running == 0


def test_an_hour_stays_readable(
    ui: SimpleNamespace, planted_exports: list, open_page: object, video: Path
) -> None:
    report = ui.report(duration=3600, num_segments=1200, num_words=4000)
    with serving(create_app(dict(long=ui.Analyser(report)))) as url:
        page = open_page(url)
        analyse(page, video)
        points = page.locator('.curve polyline').first.get_attribute('points').split()
        assert len(points) < 400
        assert page.locator('.word').count() == 0
        bars = page.locator('.bin')
        told = [
            int(bars.nth(n).get_attribute('aria-label').split(': ')[1].split(' words')[0])
            for n in range(bars.count())
        ]
        assert sum(told) == 4000  # none is left out
        assert page.evaluate('document.querySelectorAll("*").length') < 1500
        bars.nth(20).click()
        for _ in range(4):
            if page.locator('.word').count():
                break
            page.click('#zoom-in')
        shown = page.locator('.word').all_inner_texts()
        now = axis(page)
        wanted = [w.word for w in report.words if w.end >= now.start and w.start <= now.end]
        assert shown == wanted
        assert page.locator('.scroll').is_visible()
        page.click('#zoom-all')
        assert axis(page).end == 3600


def test_fits_the_screen(server: str, open_page: object, video: Path) -> None:
    page = open_page(server)
    analyse(page, video, 'planted', 'other')
    for width, scheme in ((1280, 'light'), (1280, 'dark'), (390, 'dark'), (390, 'light')):
        page.set_viewport_size(dict(width=width, height=844))
        page.emulate_media(color_scheme=scheme)
        settle(page)
        assert page.evaluate('document.documentElement.scrollWidth') <= width
        overlaps = page.evaluate("""() => [...document.querySelectorAll('.words')].flatMap(track => {
            const boxes = [...track.querySelectorAll('.word')].map(word => word.getBoundingClientRect())
            return boxes.flatMap((a, i) => boxes.slice(i + 1).filter(b => a.left < b.right - 0.5
                && b.left < a.right - 0.5 && a.top < b.bottom - 0.5 && b.top < a.bottom - 0.5))
        }).length""")
        assert overlaps == 0
        places = page.evaluate("""() => [...document.querySelectorAll('.curve')].map(curve =>
            [...curve.querySelectorAll('text.name')].map(name => Number(name.getAttribute('y'))))""")
        for names in places:  # direct labels do not lie on each other
            names.sort()
            assert min(b - a for a, b in zip(names, names[1:], strict=False)) >= 12
        red = page.evaluate(
            '() => Number(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0])'
        )
        assert (red < 60) == (scheme == 'dark')
