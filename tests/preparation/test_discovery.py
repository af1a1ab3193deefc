from __future__ import annotations

from pathlib import Path

import pytest

from mart_mm.preparation.discovery import VideoIndex, find_named, find_videos, stem
from mart_mm.preparation.plan import PreparationError


def index_of(root: Path, *names: str) -> VideoIndex:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return VideoIndex(root, find_videos(root))


@pytest.mark.parametrize(
    ('listed', 'file'),
    [
        ('anger/1000', 'Videos/ANGER/part 1/1000.MP4'),
        ('Joy/BMW.JumpforJoy.Part2', 'Joy/BMW.JumpforJoy.Part2.flv'),
        # the listed name ends like a file
        ('Surprise/EmilysBirthdaySurprise.mp4', 'Surprise/EmilysBirthdaySurprise.mp4'),
        ('Surprise/EmilysBirthdaySurprise.mp4', 'Surprise/EmilysBirthdaySurprise.mp4.mp4'),
        ('Love/Feride^Anticipation.wmv', 'Love/Feride_Anticipation.mp4'),
        ('Fear/Scooby[FULL]@^~=;#', 'fear/Scooby[FULL]@^~=;#.webm'),
        ('Trust/_Germany-Youth', 'Trust/Germany Youth.avi'),
        ('Joy/Caf\u00e9', 'Joy/Cafe\u0301.mp4'),  # macOS takes letters apart
    ],
)
def test_listed_names_are_found(tmp_path, listed, file):
    index = index_of(tmp_path, file, 'other/unlike.mp4')
    path, remark = index.find(listed)
    assert path == tmp_path / file
    assert (remark == '') == (stem(path) == listed.partition('/')[2])


def test_likeness_is_no_guess(tmp_path):
    index = index_of(
        tmp_path, 'a/x!.mp4', 'a/x?.mp4', 'a/y.mp4', 'b/z.mp4', 'c/z.mp4', 'a/._y.mp4', 'a/w.txt'
    )
    assert len(index.paths) == 5
    assert index.find('a/x') == (None, '2 files have a similar name: a/x!.mp4, a/x?.mp4')
    assert index.find('a/x', reserved=[tmp_path / 'a/x!.mp4'])[0] == tmp_path / 'a/x?.mp4'
    assert index.find('a/z') == (None, '2 files in other folders: b/z.mp4, c/z.mp4')
    assert index.find('b/y') == (tmp_path / 'a/y.mp4', 'found as a/y.mp4')
    assert index.find('a/w') == (None, 'no file of this name')


def test_several_files_of_one_name(tmp_path):
    index = index_of(tmp_path, 'a/1.mp4', 'a/1.flv', 'old/a/1.mp4')
    path, remark = index.find('a/1')
    assert path == tmp_path / 'a/1.flv' and 'the first of 3 files' in remark


def test_links_in_a_circle(tmp_path):
    index_of(tmp_path, 'a/1.mp4')
    (tmp_path / 'a' / 'up').symlink_to(tmp_path)
    assert find_videos(tmp_path) == [tmp_path / 'a/1.mp4']


def test_lists_that_differ_are_not_chosen_from(tmp_path):
    for folder, content in (('a', '1'), ('b', '1'), ('deep/er', '2')):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / 'TrainList01.txt').write_text(content)
    found = find_named(tmp_path, ['trainlist01.txt'])
    assert found['trainlist01.txt'].read_text() == '1'
    (tmp_path / 'b' / 'TrainList01.txt').write_text('3')
    with pytest.raises(PreparationError, match='differ: name the folder of the right one'):
        find_named(tmp_path, ['trainlist01.txt'])
