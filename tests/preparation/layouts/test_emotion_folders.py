from __future__ import annotations

from pathlib import Path

import pytest

from mart_mm.datasets.ekman6 import Ekman6
from mart_mm.datasets.lists import read_tsn_list
from mart_mm.datasets.video_emotion8 import VideoEmotion8
from mart_mm.preparation.layouts import ekman6, video_emotion8
from mart_mm.preparation.plan import PreparationError

SUFFIXES = ('.mp4', '.MP4', '.flv', '.avi')


def download(root: Path, names: list[str]) -> None:
    """Empty files as somebody might have them: other case, depth and suffix."""
    for number, name in enumerate(names):
        folder, _, last = name.partition('/')
        path = root / 'My Videos' / folder.upper() / f'part{number % 3}' / last
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_name(last + SUFFIXES[number % 4]).touch()


@pytest.mark.parametrize(
    ('layout', 'data_set', 'name', 'counts'),
    [
        (ekman6, Ekman6, 'ekman6', (819, 818)),
        (video_emotion8, VideoEmotion8, 'video_emotion8', (731, 367)),
    ],
)
def test_public_lists(shared_data, tmp_path, layout, data_set, name, counts):
    lists = shared_data / 'annotations' / name
    classes = data_set.METAINFO['classes']
    train = [p for p, _ in read_tsn_list(lists / 'trainlist01.txt', classes)]
    test = [p for p, _ in read_tsn_list(lists / 'testlist01.txt', classes, name == 'ekman6')]
    download(tmp_path, [*train, *test, f'{classes[0]}/unlisted'])
    (tmp_path / 'My Videos' / classes[0].upper() / 'part0' / '._1.mp4').touch()
    plan = layout.plan(tmp_path, lists)
    assert len(plan.media) == sum(counts) and not plan.missing and not plan.lacking
    twin = 'Disgust/3527012618_7ceb8fb27b_700'
    wanted = {f'videos/{path}' for path in (*train, *test) if path != twin}
    assert {medium.target for medium in plan.media} == wanted
    for medium in plan.media:
        folder, last = medium.target.split('/')[1:]
        assert medium.source.parts[-3] == folder.upper()
        assert medium.source.name.startswith(f'{last}.')
    # the line of the twin that does not count needs no video
    unused = sorted(Path(path).name.partition('.')[0] for path in plan.unused)
    twins = ['3527012618_7ceb8fb27b_700'] if name == 'video_emotion8' else []
    assert unused == [*twins, 'unlisted']
    assert any(f'{counts[0]} videos' in line for line in plan.notes)
    assert any('it counts' in line for line in plan.notes) == bool(twins)
    for list_name in ('trainlist01.txt', 'testlist01.txt', 'classInd.txt'):
        assert plan.annotations[f'annotations/{list_name}'] == (lists / list_name).read_bytes()
    if twins:  # only the line that does not count has a file: it is the same video
        kept = [p for p in tmp_path.rglob(f'{twins[0]}*') if 'FEAR' in p.parts]
        kept[0].unlink()
        again = layout.plan(tmp_path, lists)
        (medium,) = (m for m in again.media if m.target.endswith(twins[0]))
        assert medium.target == 'videos/Fear/' + twins[0] and 'DISGUST' in medium.source.parts


def test_what_is_missing_is_said(tmp_path):
    (tmp_path / 'anger').mkdir()
    (tmp_path / 'anger' / '1.mp4').touch()
    (tmp_path / 'anger' / '1.srt').touch()
    (tmp_path / 'Lists').mkdir()
    (tmp_path / 'Lists' / 'TRAINLIST01.txt').write_text('anger/1 1\njoy/2 4\n')
    plan = ekman6.plan(tmp_path, None)
    assert plan.missing == {'videos/joy/2': 'no file of this name (trainlist01.txt)'}
    assert len(plan.lacking) == 1 and 'testlist01.txt' in plan.lacking[0]
    assert 'nku-zhichengzhang/CTEN' in plan.lacking[0]
    assert plan.subtitles == {'subtitles/anger/1.srt': tmp_path / 'anger' / '1.srt'}
    (tmp_path / 'Lists' / 'testlist01.txt').write_text('joy/3 9\n')
    with pytest.raises(PreparationError, match=r'testlist01\.txt, line 1'):
        ekman6.plan(tmp_path, None)
