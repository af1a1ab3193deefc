from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from mart_mm.preparation.engine import FAILURES, STATE, prepare
from mart_mm.preparation.placing import Placement
from mart_mm.preparation.plan import Medium, Plan, PreparationError


@pytest.fixture(scope='module')
def video(tmp_path_factory, tape):
    return tape.write(tmp_path_factory.mktemp('engine') / 'a.mp4', 10, audio='aac')


@pytest.fixture
def plan(tmp_path, video) -> Plan:
    raw = tmp_path / 'raw'
    (raw / 'faces').mkdir(parents=True)
    (raw / 'faces' / '00001.jpg').write_bytes(b'1')
    for name in ('a.mp4', 'b.MP4', 'c.m4v'):
        shutil.copy(video, raw / name)
    (raw / 'broken.mp4').write_bytes(video.read_bytes()[:400])
    (raw / 'a.srt').write_text('1\n00:00:00,000 --> 00:00:01,000\nHi\n')
    return Plan(
        folders=('annotations', 'videos', 'cropped_aligned'),
        media=[
            *(Medium(raw / name, f'videos/x/{name[0]}') for name in ('a.mp4', 'b.MP4', 'c.m4v')),
            Medium(raw / 'broken.mp4', 'videos/x/broken'),
            Medium(raw / 'faces', 'cropped_aligned/a', is_folder=True),
        ],
        annotations={'annotations/list.txt': b'a\n'},
        subtitles={'subtitles/x/a.srt': raw / 'a.srt'},
        missing={'videos/x/lost': 'no file of this name'},
    )


def test_links_check_report_and_change_nothing_twice(tmp_path, tape, plan):
    out = tmp_path / 'out'
    report = prepare('test', plan, out, Placement())
    raw = tmp_path / 'raw'
    assert (report.made, report.ready, report.failed_share) == (3, 3, 3 / 6)
    assert set(report.failed) == {str(raw / 'broken.mp4'), str(raw / 'c.m4v')}
    assert '--short-side' in report.failed[str(raw / 'c.m4v')]
    assert report.missing == {'videos/x/lost': 'no file of this name'}
    assert (out / 'videos' / 'x' / 'b.mp4').readlink() == raw / 'b.MP4'
    assert (out / 'cropped_aligned' / 'a' / '00001.jpg').read_bytes() == b'1'
    listed = json.loads((out / FAILURES).read_text())
    assert listed['failed'] == report.failed and listed['missing'] == report.missing
    before = tape.snapshot(out)
    (out / 'subtitles' / 'x' / 'a.srt').touch()
    kept = tape.snapshot(out)['subtitles/x/a.srt']
    again = prepare('test', plan, out, Placement())
    assert (again.made, again.ready, again.failed) == (0, 3, report.failed)
    assert tape.snapshot(out) == before | {'subtitles/x/a.srt': kept}


@pytest.mark.parametrize('link', ['hard', 'copy'])
def test_ways_of_linking(tmp_path, plan, link):
    out = tmp_path / 'out'
    prepare('test', plan, out, Placement(link))
    for made, raw in (
        ('videos/x/a.mp4', 'a.mp4'),
        ('cropped_aligned/a/00001.jpg', 'faces/00001.jpg'),
    ):
        target, source = out / made, tmp_path / 'raw' / raw
        assert target.read_bytes() == source.read_bytes() and not target.is_symlink()
        assert target.samefile(source) == (link == 'hard')


def test_a_later_download_completes_the_tree(tmp_path, plan, video):
    out = tmp_path / 'out'
    prepare('test', plan, out, Placement())
    shutil.copy(video, tmp_path / 'raw' / 'broken.mp4')
    plan.media = [medium for medium in plan.media if 'c.m4v' not in medium.source.name]
    plan.missing = {'videos/x/a': 'not in this download'}
    report = prepare('test', plan, out, Placement())
    assert (report.made, report.failed, report.missing) == (1, {}, {})
    assert not (out / FAILURES).exists()
    # a link whose file is gone is made again
    (tmp_path / 'raw' / 'a.mp4').rename(tmp_path / 'raw' / 'new.mp4')
    plan.media[0] = Medium(tmp_path / 'raw' / 'new.mp4', 'videos/x/a')
    assert prepare('test', plan, out, Placement()).made == 1


def test_other_options_need_force(tmp_path, tape, plan):
    out = tmp_path / 'out'
    prepare('test', plan, out, Placement())
    spoken = out / 'videos' / 'x' / 'a.asr.json'  # somebody's work of hours
    spoken.write_text('{}')
    before = tape.snapshot(out)
    small = Placement('copy', 16, 5)
    with pytest.raises(PreparationError, match="gop 12, now 5, link 'sym', now 'copy', short_side"):
        prepare('test', plan, out, small)
    assert tape.snapshot(out) == before
    report = prepare('test', plan, out, small, force=True)
    assert report.made == 4 and set(report.failed) == {str(tmp_path / 'raw' / 'broken.mp4')}
    assert not (out / 'videos' / 'x' / 'b.mp4').is_symlink() and spoken.exists()
    assert (tmp_path / 'raw' / 'a.mp4').is_file() and (tmp_path / 'raw' / 'faces').is_dir()
    assert json.loads((out / STATE).read_text())['options'] == dict(
        link='copy', short_side=16, gop=5
    )


def test_folders_of_others_are_left_alone(tmp_path, plan):
    (tmp_path / 'out' / 'videos').mkdir(parents=True)
    for force in (False, True):
        with pytest.raises(PreparationError, match=r'holds videos, .*no prepare\.json'):
            prepare('test', plan, tmp_path / 'out', Placement(), force=force)
    prepare('test', plan, tmp_path / 'own', Placement())
    with pytest.raises(PreparationError, match="data_set 'test', now 'other'"):
        prepare('other', plan, tmp_path / 'own', Placement())
    with pytest.raises(PreparationError, match='another data set'):
        prepare('other', plan, tmp_path / 'own', Placement(), force=True)


def test_subtitles_inside_a_video_survive(tmp_path, shared_data):
    from mart_mm.lexicon.container_subtitles import read_container_subtitles
    from mart_mm.lexicon.transcript import read_transcript

    source = shared_data / 'media' / 'nasa_13013.mp4'
    plan = Plan(folders=('videos',), media=[Medium(source, 'videos/a.b')])
    prepare('test', plan, tmp_path, Placement(short_side=32))
    lines, kept = read_container_subtitles(source), read_transcript(tmp_path / 'videos/a.b.srt')
    assert [line.text for line in kept] == [line.text for line in lines] and lines
    np.testing.assert_allclose([line[:2] for line in kept], [line[:2] for line in lines], atol=1e-3)
