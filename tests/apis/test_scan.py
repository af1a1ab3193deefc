"""What was planted in files is found, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from mart_mm.apis.scan.decode import decode_file
from mart_mm.apis.scan.report import ScanReport
from mart_mm.apis.scan.run import scan
from mart_mm.apis.scan.targets import collect
from mart_mm.utils.media_writer import write_video
from tools.data.scan import main

ROOT = Path(__file__).resolve().parents[2]
FPS, RATE = 10, 16000


def frames(count: int = 20, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 32, 48, 3), dtype=np.uint8)


def tone(seconds: float = 2.0) -> np.ndarray:
    return (0.3 * np.sin(np.arange(int(seconds * RATE)) / 9)).astype(np.float32)


def write(path: Path, seed: int = 0, sound: np.ndarray | None = None, **kwargs: object) -> Path:
    write_video(path, frames(seed=seed), FPS, tone() if sound is None else sound, RATE, **kwargs)
    path.with_suffix('.srt').write_text('1\n00:00:00,000 --> 00:00:01,000\nI am glad\n')
    return path


def remux(source: Path, target: Path, options: dict, rotation: int | None = None) -> Path:
    """Copy packets into another container; a rotation needs the pictures encoded anew."""
    with av.open(str(source)) as old, av.open(str(target), 'w', options=options) as new:
        if rotation is not None:
            stream = new.add_stream('libx264', rate=FPS)
            stream.width, stream.height, stream.pix_fmt = 48, 32, 'yuv420p'
            stream.set_display_rotation(rotation)
            for frame in old.decode(video=0):
                frame.pict_type = 0
                new.mux(stream.encode(frame))
            new.mux(stream.encode())
            return target
        copies = {stream.index: new.add_stream_from_template(stream) for stream in old.streams}
        for packet in old.demux():
            if packet.dts is not None:
                packet.stream = copies[packet.stream_index]
                new.mux(packet)
    return target


@pytest.fixture(scope='module')
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, set[str]]]:
    """A folder, and the findings of each file that is in it."""
    folder = tmp_path_factory.mktemp('media')
    truth: dict[str, set[str]] = {'good.mp4': set(), 'good.mkv': set()}
    whole = write(folder / 'good.mp4')
    matroska = remux(whole, folder / 'good.mkv', {}).read_bytes()
    fast = remux(whole, folder / 'fast.mp4', {'movflags': 'faststart'}).read_bytes()
    (folder / 'fast.mp4').unlink()
    for name, content, kinds in (
        ('header_lost.mp4', whole.read_bytes()[:-400], {'broken'}),
        ('no_video_at_all.mp4', b'nothing of the kind' * 50, {'broken'}),
        ('empty.mp4', b'', {'broken'}),
        ('cut.mp4', fast[: len(fast) * 2 // 3], {'truncated', 'no-transcript'}),
        ('cut.mkv', matroska[:9000], {'truncated', 'too-short', 'no-transcript'}),
        ('holed.mp4', _hole(whole), {'truncated', 'no-transcript'}),
    ):
        (folder / name).write_bytes(content)
        truth[name] = kinds
    write_video(folder / 'silent.mp4', frames(seed=1), FPS)
    truth['silent.mp4'] = {'silent', 'no-transcript'}
    write(folder / 'mute.mp4', seed=2, sound=np.zeros(2 * RATE, np.float32))
    truth['mute.mp4'] = {'mute'}
    times = np.cumsum([0.0] + [0.05, 0.2] * 9 + [0.1]).tolist()
    write(folder / 'variable.mp4', seed=3, times=times)
    truth['variable.mp4'] = {'variable-rate'}
    remux(whole, folder / 'rotated.mp4', {}, rotation=90)
    truth['rotated.mp4'] = {'rotated', 'silent', 'no-transcript'}
    write_video(folder / 'short.mp4', frames(6, seed=4), FPS, tone(0.6), RATE)
    truth['short.mp4'] = {'too-short', 'no-transcript'}
    write(folder / 'words.mp4', seed=5).with_suffix('.srt').write_text('no times, no lines')
    truth['words.mp4'] = {'no-transcript', 'bad-transcript'}
    for name in ('twin.mp4', 'deep/twin.mp4'):
        write(folder / name, seed=6)
        truth[name] = {'duplicate'}
    with av.open(str(folder / 'sound.wav'), 'w') as container:
        stream = container.add_stream('pcm_s16le', rate=RATE, layout='mono')
        frame = av.AudioFrame.from_ndarray((tone() * 32767).astype(np.int16)[None], layout='mono')
        frame.sample_rate = RATE
        container.mux(stream.encode(frame))
    truth['sound.wav'] = {'no-video', 'no-transcript'}
    return folder, truth


def _hole(path: Path) -> bytes:
    """The file with zeros in place of some pictures in its middle."""
    with av.open(str(path)) as container:
        places = sorted(p.pos for p in container.demux(video=0) if p.size)
    content = bytearray(path.read_bytes())
    content[places[8] : places[10]] = bytes(places[10] - places[8])
    return bytes(content)


def kinds(report: ScanReport, folder: Path) -> dict[str, set[str]]:
    return {
        str(Path(file.target.path).relative_to(folder)): {f.kind for f in file.findings}
        for file in report.files
    }


def test_every_planted_fault_is_found_and_no_other(planted: tuple) -> None:
    folder, truth = planted
    report = scan(collect([folder, folder / 'gone.mp4']), jobs=2)
    assert kinds(report, folder) == truth | {'gone.mp4': {'missing'}}
    assert report.counts['broken'] == 3 and report.counts['duplicate'] == 2
    failing = {Path(file.target.path).name for file in report.failing()}
    assert failing == {
        *('header_lost.mp4', 'no_video_at_all.mp4', 'empty.mp4', 'gone.mp4'),
        *('cut.mp4', 'cut.mkv', 'holed.mp4'),
    }
    rows = {Path(row['file']).name: row for row in report.rows()}
    good = rows['good.mp4']
    assert (good['seconds'], good['frames'], good['fps']) == ('2.00', '20', '10.00')
    assert (good['size'], good['audio']) == ('48x32', 'aac 16 kHz 1 ch')
    assert good['transcript'] == 'sidecar'
    details = report.details()
    assert '50 to 200 ms from frame to frame' in details and 'rotated.mp4: 90 degrees' in details
    content = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert content['summary']['counts']['mute'] == 1 and len(content['files']) == len(truth) + 1
    assert len(report.to_csv().splitlines()) == len(truth) + 2
    assert report.table().splitlines()[0] == f'in {folder}'


def test_numbers_are_those_of_a_plain_loop(shared_data: Path) -> None:
    for name in ('chaplin.mp4', 'nasa_13013.mp4', 'big_buck_bunny_432_433.webm', 'demo.mp4'):
        path = str(shared_data / 'media' / name)
        facts = decode_file(path)
        with av.open(path) as container:
            best = container.streams.best('video')
            times = [frame.time for frame in container.decode(best)]
        assert facts.video.num_frames == len(times) and not facts.damage and not facts.broken
        assert facts.video.seconds == pytest.approx(
            times[-1] - times[0] + 1 / facts.video.fps, 0.02
        )
        if facts.audio:
            with av.open(path) as container:
                best = max(container.streams.audio, key=lambda stream: stream.rate)
                samples = sum(frame.samples for frame in container.decode(best))
            assert facts.audio.seconds == pytest.approx(samples / facts.audio.sample_rate)


def test_real_media(shared_data: Path) -> None:
    names = ['demo.mp4', 'nasa_13013.mp4', 'jfk.flac']
    report = scan(collect([shared_data / 'media' / name for name in names]), jobs=2)
    found = kinds(report, shared_data / 'media')
    assert found['demo.mp4'] == {'silent', 'no-transcript'}
    assert found['nasa_13013.mp4'] == set()  # it has subtitles of its own
    assert found['jfk.flac'] == {'no-video', 'no-transcript'}
    assert report.rows()[1]['transcript'] == 'container'
    assert not report.failing()


def manifest(folder: Path, rows: list[str], classes: str = "['joy', 'fear']") -> Path:
    """A config that reads a manifest with these lines."""
    (folder / 'm.csv').write_text('\n'.join(['video,label,split,start,end,id', *rows]) + '\n')
    loaders = [
        f"{loader}_dataloader = dict(dataset=dict(type='ManifestDataset', ann_file={str(folder / 'm.csv')!r},"
        f" data_root='', split={split!r}, classes={classes}, polarity=[1, -1],"
        " pipeline=[dict(type='LoadTranscript', sources=['sidecar'])]))"
        for loader, split in (('train', 'train'), ('val', 'test'), ('test', 'test'))
    ]
    (folder / 'config.py').write_text('\n'.join(loaders))
    return folder / 'config.py'


def test_records_of_a_config(tmp_path: Path) -> None:
    for name, seed in (('a', 0), ('b', 0), ('c', 1), ('d', 2)):
        write(tmp_path / f'{name}.mp4', seed=seed)
    rows = [
        *('a.mp4,joy,train,,,', 'b.mp4,fear,test,,,'),  # one content, two labels
        *('c.mp4,joy,train,0,1,c1', 'c.mp4,fear,train,1,5,c2', 'c.mp4,joy,train,7,8,c3'),
        *('d.mp4,joy,train,,,d', 'd.mp4,joy,test,,,d'),  # one record in two splits
        'lost.mp4,joy,train,,,',
    ]
    report = scan(collect([manifest(tmp_path, rows)]), jobs=1)
    assert kinds(report, tmp_path) == {
        'a.mp4': {'duplicate', 'label-conflict'},
        'b.mp4': {'duplicate', 'label-conflict'},
        'c.mp4': {'too-short'},
        'd.mp4': {'duplicate'},
        'lost.mp4': {'missing'},
    }
    found = {Path(f.target.path).name: f for f in report.files}
    conflict = found['a.mp4'].findings[0]
    assert conflict.is_error and conflict.detail == f'joy here, fear as {tmp_path / "b.mp4"}'
    (short,) = found['c.mp4'].findings
    assert short.detail == '2 of 3 records end behind it, c2 first; 1 start behind it'
    assert found['d.mp4'].findings[0].detail == 'd stands in train, val, test'
    # validation and test read the same list: no duplicate
    assert found['b.mp4'].target.usages[0].splits == ['val', 'test']


def test_one_content_with_one_label_is_a_warning(tmp_path: Path) -> None:
    for name in ('a', 'b'):
        write(tmp_path / f'{name}.mp4')
    config = manifest(tmp_path, ['a.mp4,joy,train,,,', 'b.mp4,joy,test,,,'])
    report = scan(collect([config, config]), jobs=1)
    assert kinds(report, tmp_path) == {'a.mp4': {'duplicate'}, 'b.mp4': {'duplicate'}}
    assert not report.failing() and len(report.failing(['duplicate'])) == 2


def test_one_label_is_listed_twice(tmp_path: Path) -> None:
    config = manifest(tmp_path, ['a.mp4,joy,train,,,a', 'b.mp4,joy,train,,,a', 'c.mp4,joy,test,,,'])
    with pytest.raises(ValueError, match=r"listed more than once: \['a'\]"):
        collect([config])


def test_folders_of_pictures(tmp_path: Path) -> None:
    for number in range(1, 4):
        cv2.imwrite(str(tmp_path / f'{number:05}.jpg'), frames(1)[0])
    assert decode_file(tmp_path).video.num_frames == 3
    (tmp_path / '00002.jpg').write_bytes(b'no picture')
    facts = decode_file(tmp_path)
    assert facts.video.num_frames == 2 and not facts.broken
    assert facts.damage == ['1 of 3 pictures do not decode, 00002.jpg first']
    (tmp_path / 'none').mkdir()
    assert decode_file(tmp_path / 'none').broken == 'a folder without pictures'


def test_a_crash_is_reported_as_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, planted: tuple
) -> None:
    (tmp_path / 'crashing_probe.py').write_text(
        'import os\n'
        'from mart_mm.apis.scan.probe import probe as real\n'
        'def probe(target, beat):\n'
        '    os.abort() if "mute" in target.path else None\n'
        '    return real(target, beat)\n'
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    import crashing_probe

    monkeypatch.setattr('mart_mm.apis.scan.run.probe', crashing_probe.probe)
    folder = planted[0]
    report = scan(collect([folder / 'mute.mp4', folder / 'good.mp4']), jobs=1)
    assert kinds(report, folder) == {'mute.mp4': {'broken'}, 'good.mp4': set()}
    assert report.files[0].findings[0].detail == 'decoder crashed (exit code -6)'


def test_exit_codes(planted: tuple, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    silent, cut = str(planted[0] / 'silent.mp4'), str(planted[0] / 'cut.mp4')
    files = ['--json', str(tmp_path / 'a.json'), '--csv', str(tmp_path / 'a.csv')]
    assert main([silent, *files]) == 0
    shown = capsys.readouterr().out
    assert 'silent.mp4' in shown and 'warnings: silent 1, no-transcript 1' in shown
    assert json.loads((tmp_path / 'a.json').read_text())['summary']['counts']['silent'] == 1
    assert (tmp_path / 'a.csv').read_text().startswith('file,seconds,frames,fps,size,audio,')
    assert main([silent, '--strict']) == 1
    assert main([silent, '--fail-on', 'mute,broken']) == 0
    assert main([silent, '--fail-on', 'mute,silent']) == 1
    assert main([cut]) == 1
    with pytest.raises(SystemExit) as wrong:
        main([silent, '--fail-on', 'quiet'])
    assert wrong.value.code == 2 and "'quiet' is no finding" in capsys.readouterr().err
    assert main([str(tmp_path)]) == 2 and 'no media file' in capsys.readouterr().err


def test_runs_as_a_file(planted: tuple) -> None:
    command = [sys.executable, str(ROOT / 'tools' / 'data' / 'scan.py')]
    done = subprocess.run([*command, planted[0] / 'cut.mp4'], capture_output=True, text=True)
    assert done.returncode == 1 and 'errors: truncated 1' in done.stdout, done.stderr
