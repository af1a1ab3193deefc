"""Names that come from outside."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mart_mm.ui.names import display_name, download_name


@pytest.mark.parametrize(
    ('given', 'shown'),
    [
        ('clip.mp4', 'clip.mp4'),
        ('../../etc/passwd.mp4', 'passwd.mp4'),
        ('..\\..\\windows\\a.mp4', 'a.mp4'),
        ('/a/b/', 'video'),
        ('..', 'video'),
        ('', 'video'),
        ('a\x00b\n\u202egpj.mp4', 'abgpj.mp4'),
        ('<b>"x".mp4', '<b>"x".mp4'),
        ('Fröhlich 日本.mp4', 'Fröhlich 日本.mp4'),
    ],
)
def test_display_name(given: str, shown: str) -> None:
    assert display_name(given) == shown


def test_long_name_keeps_its_suffix() -> None:
    shown = display_name('x' * 5000 + '.mp4')
    assert len(shown) <= 120
    assert shown.endswith('.mp4')


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=20), st.text(max_size=20))
def test_download_name_is_a_plain_file_name(video: str, model: str) -> None:
    name = download_name(display_name(video), model, '.json')
    assert name.endswith('.json')
    assert not name.startswith('.')
    assert not set(name) & set('/\\:*?"<>|\0\n\r;% ')
