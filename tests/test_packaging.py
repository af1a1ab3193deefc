"""What is installed is what works."""

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope='module')
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp('wheel')
    command = [
        sys.executable,
        '-m',
        'build',
        '--wheel',
        '--no-isolation',
        '--outdir',
        str(out),
        str(ROOT),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    (path,) = out.glob('*.whl')
    return path


def test_wheel_holds_every_module_config_and_the_index(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    modules = {
        str(path.relative_to(ROOT))
        for package in ('mart_mm', 'mart_mm_cli')
        for path in (ROOT / package).rglob('*.py')
        if '.mim' not in path.parts
    }
    assert len(modules) > 50
    assert modules <= names
    configs = {
        f'mart_mm/.mim/{path.relative_to(ROOT)}' for path in (ROOT / 'configs').rglob('*.py')
    }
    assert len(configs) > 10
    assert configs <= names
    assert 'mart_mm/.mim/model-index.yml' in names
    page = {
        str(path.relative_to(ROOT))
        for path in (ROOT / 'mart_mm' / 'ui' / 'static').rglob('*')
        if path.is_file()
    }
    assert len(page) > 10
    assert page <= names
    assert 'mart_mm/py.typed' in names  # type checkers read the annotations
    metafiles = {
        f'mart_mm/.mim/{path.relative_to(ROOT)}' for path in ROOT.glob('configs/*/metafile.yml')
    }
    assert len(metafiles) > 10
    assert metafiles <= names
    assert not [name for name in names if name.startswith(('tests/', 'tools/'))]


def test_wheel_brings_the_command(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith('entry_points.txt')]
        assert 'mart-mm = mart_mm_cli.main:main' in archive.read(name).decode()


@pytest.fixture(scope='module')
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, installed for itself."""
    site = tmp_path_factory.mktemp('installed') / 'site'
    install = [
        sys.executable,
        '-m',
        'pip',
        'install',
        '-q',
        '--no-deps',
        '--target',
        str(site),
        str(wheel),
    ]
    subprocess.run(install, check=True, capture_output=True)
    return site


def run_installed(site: Path, cwd: Path, *arguments: str) -> subprocess.CompletedProcess:
    """Run Python with the installed package in place of the checkout."""
    environment = os.environ | {'PYTHONPATH': str(site)}
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=environment, capture_output=True, text=True
    )


def test_installed_elsewhere_it_builds_a_config(site: Path, tmp_path: Path) -> None:
    code = """
import mart_mm
from mmengine.hub import get_config
from mmengine.registry import init_default_scope
from mart_mm.registry import MODELS
cfg = get_config('mart_mm::mart/mart_mbt_planted.py')
init_default_scope(cfg.default_scope)
print(mart_mm.__file__)
print(type(MODELS.build(cfg.model)).__name__)
"""
    done = run_installed(site, tmp_path, '-c', code)
    assert done.returncode == 0, done.stderr[-3000:]
    where, name = done.stdout.strip().splitlines()[-2:]
    assert where.startswith(str(site))
    assert name == 'AffectiveRecognizer'


def test_installed_elsewhere_the_command_finds_configs_and_plants_data(
    site: Path, tmp_path: Path
) -> None:
    done = run_installed(site, tmp_path, '-m', 'mart_mm_cli', 'models', '--json', 'planted')
    assert done.returncode == 0, done.stderr[-3000:]
    configs = [Path(entry['config']) for entry in json.loads(done.stdout)]
    assert configs and all(path.is_file() and site in path.parents for path in configs)
    plant = '-m mart_mm_cli plant --train 6 --test 6 --segments 2'.split()
    assert run_installed(site, tmp_path, *plant).returncode == 0
    done = run_installed(site, tmp_path, '-m', 'mart_mm_cli', 'check', 'mart-mbt-planted')
    assert done.returncode == 0 and 'finetune, 2 videos: loss' in done.stdout, done.stdout


def names_in(path: Path) -> set[str]:
    lines = (line.split('#')[0].strip() for line in path.read_text().splitlines())
    return {re.split(r'[<>=!~; \[]', line)[0].lower().replace('_', '-') for line in lines if line}


def test_every_requirement_is_pinned_once() -> None:
    pinned = names_in(ROOT / 'constraints.txt')
    files = list((ROOT / 'requirements').glob('*.txt'))
    assert len(files) >= 7
    for path in files:
        assert names_in(path) <= pinned, path.name


def test_continuous_integration_runs_every_python_that_is_promised() -> None:
    job = yaml.safe_load((ROOT / '.github/workflows/test.yml').read_text())['jobs']['test']
    promised = re.findall(r'Python :: (3\.\d+)$', (ROOT / 'setup.cfg').read_text(), re.MULTILINE)
    assert job['strategy']['matrix']['python'] == promised and len(promised) == 3
    targets = re.findall(r'^([a-z]+):', (ROOT / 'Makefile').read_text(), re.MULTILINE)
    commands = [step['run'].split() for step in job['steps'] if 'run' in step]
    assert {'lint', 'test'} == {target for _, target in commands} <= set(targets)


def test_every_component_folder_registers_what_it_holds() -> None:
    """Building by name is enough: no import of the module is needed before."""
    code = """
import mart_mm
from mart_mm import registry
for kind, name in [('MODELS', 'EmotionMasker'), ('MODELS', 'TwoStreamBackbone'), ('MODELS', 'PixelTarget'),
                   ('DATASETS', 'Ekman6'), ('TRANSFORMS', 'FindCues'), ('METRICS', 'EmotionMetric'),
                   ('HOOKS', 'StageSwitchHook'), ('LOOPS', 'ResumableTrainLoop'),
                   ('MODEL_WRAPPERS', 'AffectiveDistributedDataParallel'), ('LEXICONS', 'FileLexicon'),
                   ('DATA_SAMPLERS', 'ResumableSampler'), ('FUNCTIONS', 'affective_collate'),
                   ('OPTIM_WRAPPERS', 'OptimWrapper'), ('HOOKS', 'LoggerHook')]:
    assert getattr(registry, kind).get(name) is not None, name
"""
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', code], cwd=ROOT, capture_output=True, text=True,
        env=os.environ | {'PYTHONPATH': str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert 'Failed to search registry' not in done.stdout + done.stderr
