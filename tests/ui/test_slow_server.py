"""The page while the server's answers are late, out of date or lost."""

from pathlib import Path
from types import SimpleNamespace

from tests.ui.browser import analyse, order, wait


class Held:
    """Requests that wait until they are let go."""

    def __init__(self, most: int = 1000) -> None:
        self.waiting: list[object] = []
        self.most = most

    def __call__(self, route: object) -> None:
        if self.most <= 0:
            route.continue_()
            return
        self.most -= 1
        self.waiting.append(route)

    def wait(self, page: object) -> object:
        wait(page, lambda: self.waiting, 'it was not asked for')
        return self.waiting.pop(0)


def all_done(page: object, url: str, count: int) -> list[dict]:
    """The jobs, when so many are done."""

    def ask() -> list[dict]:
        return page.request.get(f'{url}api/jobs').json()

    wait(page, lambda: [job['state'] for job in ask()] == ['done'] * count, 'not done')
    return ask()


def test_a_file_chosen_before_the_server_answers_is_analysed(
    server: str, open_page: object, video: Path
) -> None:
    config = Held()
    page = open_page(server, routes={'**/api/config': config})
    page.set_input_files('#file', video)
    assert page.locator('#analyse').is_disabled()
    config.wait(page).continue_()
    order(page, 'planted')
    page.wait_for_selector('#results:not([hidden]) .cursor', state='attached')
    assert page.locator('.track').count() == 1


def test_a_file_chosen_before_the_scripts_run_is_analysed(
    server: str, open_page: object, video: Path
) -> None:
    script = Held()
    page = open_page(server, routes={'**/js/main.js': script}, wait_until='commit')
    page.set_input_files('#file', video)
    script.wait(page).continue_()
    order(page, 'planted')
    page.wait_for_selector('#results:not([hidden]) .cursor', state='attached')
    assert 'tiny clip.mp4' in page.locator('#drop-title').inner_text()


def test_both_models_are_awaited_when_an_old_answer_knows_one(
    server: str, open_page: object, video: Path
) -> None:
    jobs = Held(most=1)
    page = open_page(server, routes={'**/api/jobs': jobs})
    page.set_input_files('#file', video)
    late = jobs.wait(page)  # asked for before there was any job
    order(page, 'planted', 'other')
    first, _ = all_done(page, server, 2)
    late.fulfill(json=[first])
    page.wait_for_selector('#results:not([hidden]) .cursor', state='attached')
    assert page.locator('.track').count() == 2


def test_what_was_shown_before_a_reload_does_not_replace_a_new_result(
    server: str, open_page: object, video: Path
) -> None:
    page = open_page(server)
    analyse(page, video, 'planted')
    jobs = Held(most=1)
    page.route('**/api/jobs', jobs)
    page.reload()
    late = jobs.wait(page)
    page.set_input_files(
        '#file', dict(name='b.mp4', mimeType='video/mp4', buffer=video.read_bytes())
    )
    order(page, 'planted')
    old, _ = all_done(page, server, 2)
    late.fulfill(json=[old])
    page.wait_for_selector('#results:not([hidden]) .cursor', state='attached')
    page.wait_for_load_state('networkidle')
    assert page.locator('.summary h3').inner_text() == 'b.mp4, planted'


def test_a_lost_answer_is_asked_for_again(
    ui: SimpleNamespace, server: str, open_page: object, video: Path
) -> None:
    lost = Held(most=2)
    page = open_page(server, is_complaining=False, routes={'**/api/jobs': lost})
    lost.wait(page).abort()
    page.get_by_text('The server does not answer').wait_for()
    lost.wait(page).continue_()
    page.locator('#error').wait_for(state='hidden')
    analyse(page, video)
    assert page.locator('.summary .big').inner_text() == 'joy, positive'
