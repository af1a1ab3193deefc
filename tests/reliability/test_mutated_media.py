"""Spoilt media files through the scan and the transforms of training: refused or read, nothing else."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from torch.utils.data import DataLoader

from mart_mm.apis.scan.run import scan
from mart_mm.apis.scan.targets import collect
from mart_mm.datasets.collate import affective_collate
from mart_mm.datasets.ekman6 import Ekman6
from mart_mm.errors import sum_up
from mart_mm.registry import LEXICONS

#: seconds that a file of two seconds may take on a slow and busy machine
PATIENCE = 300.0


@pytest.fixture(scope='module')
def mutations() -> object:
    """The module, under the name by which the scan's processes find it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parent))
        import media_mutations

        yield media_mutations
        sys.modules.pop('media_mutations')


class NamedWithSuffix(Ekman6):
    """Whose list says the suffixes of files."""

    @staticmethod
    def find_video(folder: Path, media: str) -> Path:
        return f'{folder}/{media}'


def scanned(paths: list[Path], mutations: object, patch: pytest.MonkeyPatch) -> dict[str, list]:
    """Findings of each file."""
    patch.setattr('mart_mm.apis.scan.run.probe', mutations.probe_in_little_memory)
    report = scan(collect(paths), jobs=2, timeout=PATIENCE)
    return {Path(file.target.path).name: file.findings for file in report.files}


def trained_on(folder: Path, paths: list[Path], mutations: object) -> dict[str, str]:
    """Why each file is unreadable, empty where it is read; by the pipeline of training."""
    (folder / 'list.txt').write_text('\n'.join(f'joy/{path.name} 4' for path in paths))
    lexicon = dict(type='SenticNet6Lexicon')
    LEXICONS.build(lexicon)  # packed once, which takes longer than all files
    data = NamedWithSuffix(
        ann_file='list.txt',
        data_root=str(folder),
        data_prefix=dict(video='', transcript='subtitles'),
        pipeline=[
            dict(type='SampleSegments', num_segments=6, clip_len=4, size=48, random=True),
            dict(type='LoadFrames'),
            dict(type='CropFrames', size=48, random=True),
            dict(type='LoadLogMel', num_frames=80),
            dict(type='LoadTranscript'),
            dict(type='FindCues', lexicon=lexicon),
            dict(type='PackAffectiveInputs', max_cues=8),
        ],
        test_mode=True,  # each file for itself, none in the place of another
        read_timeout=PATIENCE,
    )
    data.pipeline.transforms.insert(0, _LimitedMemory(mutations.limit_memory))
    names = iter(path.name for path in paths)
    outcomes = {}
    for batch in DataLoader(data, 1, num_workers=2, collate_fn=affective_collate):
        (sample,) = batch['data_samples'] or batch['failed_samples']
        outcomes[next(names)] = '' if batch['data_samples'] else sample.failed
    return outcomes


class _LimitedMemory:
    def __init__(self, limit: Callable[[], None]) -> None:
        self.limit = limit

    def __call__(self, results: dict) -> dict:
        self.limit()
        return results


def test_spoilt_files_are_refused_or_read(
    tmp_path: Path,
    mutations: object,
    monkeypatch: pytest.MonkeyPatch,
    count: Callable[[int, int], int],
    tell: Callable[[str], None],
) -> None:
    """What escapes as another error than ``MediaError`` ends the loader, and this test."""
    folder = tmp_path / 'joy'
    paths = mutations.write_mutated(folder, count(33, 2000))
    (folder / 'whole').rename(tmp_path / 'whole')
    findings = scanned(paths, mutations, monkeypatch)
    refused = trained_on(tmp_path, paths, mutations)
    assert set(findings) == set(refused) == {path.name for path in paths}

    broken = {n: f.detail for n, found in findings.items() for f in found if f.kind == 'broken'}
    mistakes = {name: why for name, why in broken.items() if ' in ' in why and ', line ' in why}
    assert not mistakes
    unusable = {n for n, found in findings.items() for f in found if f.is_error}
    unusable |= {n for n, found in findings.items() for f in found if f.kind == 'no-video'}
    passed = findings.keys() - unusable
    surprises = {name: refused[name] for name in passed if refused[name]}
    assert not surprises, 'what the scan lets pass is read in training'
    reasons = [reason for reason in refused.values() if reason]
    crashed = [why for why in [*broken.values(), *reasons] if 'crash' in why or 'killed' in why]
    hung = [why for why in [*broken.values(), *reasons] if 'hangs' in why or 'more than' in why]
    assert 0 < len(reasons) < len(paths) and 0 < len(broken) < len(paths) and passed
    tell(
        f'{len(paths)} files: scan: {len(passed)} pass, {len(broken)} broken, '
        f'{len(paths) - len(passed) - len(broken)} damaged; training: '
        f'{len(paths) - len(reasons)} read, {len(reasons)} refused: {sum_up(reasons)}; '
        f'{len(crashed)} crashed, {len(hung)} timed out, 0 other errors'
    )


def test_whole_films_pass(
    tmp_path: Path, mutations: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The films that are spoilt have pictures, sound and, where their container takes them, words."""
    (tmp_path / 'joy').mkdir()
    names = [f'film.{suffix}' for suffix in mutations.CODECS]
    paths = [mutations.write_film(tmp_path / 'joy' / name) for name in names]
    findings = scanned(paths, mutations, monkeypatch)
    for name, found in findings.items():
        missing = set() if mutations.CODECS[name[5:]][2] else {'no-transcript'}
        assert {f.kind for f in found} - {'variable-rate'} == missing, name
    assert set(trained_on(tmp_path, paths, mutations).values()) == {''}
