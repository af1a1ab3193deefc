from __future__ import annotations

from pathlib import Path

import pytest

from mart_mm.datasets.affwild2 import EXPRESSIONS
from mart_mm.preparation.layouts.affwild2 import plan
from mart_mm.preparation.plan import PreparationError

EXPR = ','.join(EXPRESSIONS) + '\n0\n-1\n4\n4\n'
VA = 'valence,arousal\n0.1,0.2\n-5,-5\n'


def write(root: Path, **files: str) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return root


def touch(root: Path, *names: str) -> None:
    write(root, **dict.fromkeys(names, 'x'))


@pytest.mark.parametrize(
    ('expressions', 'affect', 'train', 'validation'),
    [
        ('EXPR_Recognition_Challenge', 'VA_Estimation_Challenge', 'Train_Set', 'Validation_Set'),
        ('EXPR_Classification_Challenge', 'VA_Estimation_Challenge', 'Train_Set', 'Validation_Set'),
        ('annotations/EXPR_Set', 'annotations/VA_Set', 'Training_Set', 'Validation_Set'),
    ],
)
def test_any_release_becomes_one_tree(tmp_path, expressions, affect, train, validation):
    root = tmp_path / '6th ABAW Annotations'
    write(
        root,
        **{
            f'{expressions}/{train}/1-30-1280x720.txt': EXPR,
            f'{expressions}/{train}/video5_left.txt': EXPR,
            f'{expressions}/{train}/._video5_left.txt': '\0',
            f'{expressions}/{validation}/video5.txt': EXPR,
            f'{expressions}/Test_Set/10.txt': '',
            f'{affect}/{train}/video9_right.txt': VA,
            'AU_Detection_Challenge/Train_Set/8.txt': 'AU1\n0\n',
            'readme.txt': '',
        },
    )
    touch(root, 'batch1/1-30-1280x720.mp4', 'batch2/video5.avi', 'batch2/10.mp4')
    touch(root, 'new_vids/video9_right.mp4', 'new_vids/video9.mp4')
    touch(root, 'cropped_aligned/cropped_aligned/video5/00001.jpg', 'cropped/batch1/video5/1.jpg')
    touch(root, 'cropped_aligned/cropped_aligned/video5_left/00002.jpg')
    touch(root, 'batch2/cropped_aligned_new_50_vids/video9_right/00001.jpg')
    touch(root, 'batch2/cropped_aligned_new_50_vids/10/00001.jpg')
    made = plan(root, None)
    assert not made.lacking and not made.missing
    assert sorted(made.annotations) == [
        'annotations/EXPR_Recognition_Challenge/Train_Set/1-30-1280x720.txt',
        'annotations/EXPR_Recognition_Challenge/Train_Set/video5_left.txt',
        'annotations/EXPR_Recognition_Challenge/Validation_Set/video5.txt',
        'annotations/VA_Estimation_Challenge/Train_Set/video9_right.txt',
    ]
    videos = {m.target: m.source.name for m in made.media if not m.is_folder}
    # a second face without a video of its own is in the video of the first
    assert videos == {
        'videos/1-30-1280x720': '1-30-1280x720.mp4',
        'videos/video5': 'video5.avi',
        'videos/video9_right': 'video9_right.mp4',
    }
    faces = [m.target for m in made.media if m.is_folder]
    assert faces == [f'cropped_aligned/{n}' for n in ('video5', 'video5_left', 'video9_right')]
    assert sorted(Path(path).name for path in made.unused) == ['10.mp4', 'video9.mp4']
    text = '\n'.join(made.notes)
    assert 'Train_Set: 2 files, frames: Neutral 2, Anger 0, Disgust 0, Fear 0, Happiness 4' in text
    assert '2 without label' in text and 'Train_Set: 1 files, 1 frames, 1 without label' in text
    assert '1 of 4 annotations have no cropped faces' in text


def test_faults_are_said(tmp_path):
    folder = 'EXPR_Recognition_Challenge/Train_Set'
    write(tmp_path / 'new', **{f'{folder}/a.txt': EXPR, f'{folder}/b.txt': 'Neutral\n9\n'})
    made = plan(tmp_path / 'new', None)
    assert made.missing == {'videos/a': 'no file of this name'}
    assert len(made.lacking) == 1 and 'b.txt is left out' in made.lacking[0]
    write(tmp_path / 'old', **{f'{folder}/a.txt': EXPR + '0\n'})
    with pytest.raises(PreparationError, match=r'a\.txt differ: name the folder of one release'):
        plan(tmp_path, None)
    assert list(plan(tmp_path, tmp_path / 'old').annotations) == [f'annotations/{folder}/a.txt']
    (tmp_path / 'empty').mkdir()
    assert 'no annotation below' in plan(tmp_path / 'empty', None).lacking[0]
