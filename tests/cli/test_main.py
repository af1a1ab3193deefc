"""The command line: quick help, answers to mistakes, and one way of doing each thing."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from argparse import Namespace
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from mart_mm_cli.main import COMMANDS, load_command, main

ROOT = Path(__file__).resolve().parents[2]
#: the tool of each command that has one, and a command line for both
TOOLS = {
    'demo': ('tools.demo', ['--seed', '3']),
    'train': ('tools.train', ['mart_mbt_planted', '--smoke', '--cfg-options', 'cache=None']),
    'publish': ('tools.convert.publish_model', ['a.pth', '--out', 'b']),
    'test': ('tools.test', ['mart_mbt_planted', 'a.pth', '--dump', 'scores']),
    'plant': ('tools.data.planted.make', ['--layout', 'perr', '--no-blemishes']),
    'scan': ('tools.data.scan', ['videos', '--strict']),
    'browse': ('tools.analysis.browse_dataset', ['mart_mbt_planted', '--num', '2']),
    'config': ('tools.analysis.print_config', ['mart_mbt_planted', '--save-path', 'mine.py']),
    'transcribe': ('tools.data.transcribe', ['videos', '--model', 'tiny']),
}
HELP = """
import sys
sys.argv = ['mart-mm', *{arguments!r}]
from mart_mm_cli.main import main
try:
    main()
finally:
    print('loaded:', *sorted({{name.partition('.')[0] for name in sys.modules}}))
"""


@pytest.mark.parametrize('command', ['', *COMMANDS])
def test_help_loads_nothing_heavy(command: str) -> None:
    script = HELP.format(arguments=[*command.split(), '--help'])
    done = subprocess.run(
        [sys.executable, '-c', script],
        capture_output=True,
        text=True,
        env=os.environ | {'PYTHONPATH': str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    assert f'usage: mart-mm {command}'.rstrip() in done.stdout
    loaded = done.stdout.splitlines()[-1].split()[1:]
    assert 'mart_mm_cli' in loaded
    assert not {'torch', 'mmengine', 'numpy', 'yaml', 'av', 'cv2'} & set(loaded)


def test_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, '-m', 'mart_mm_cli', '--version'],
        capture_output=True,
        text=True,
        env=os.environ | {'PYTHONPATH': str(ROOT)},
    )
    version: dict[str, str] = {}
    exec((ROOT / 'mart_mm' / 'version.py').read_text(), version)
    assert done.stdout.strip() == f'mart-mm {version["__version__"]}'


def test_unknown_command_is_answered_with_the_nearest(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(['trian', 'mart_mbt_planted'])
    assert stopped.value.code == 2
    assert "unknown command 'trian': did you mean 'train'" in capsys.readouterr().err


@pytest.mark.parametrize(
    'arguments',
    [
        ['train', 'mart_mbt_plantd'],
        ['test', 'mart_mbt_plantd', 'a.pth'],
        ['browse', 'mart_mbt_plantd'],
        ['check', 'mart_mbt_plantd'],
        ['config', 'mart_mbt_plantd'],
        ['infer', 'a.mp4', '--model', 'mart_mbt_plantd'],
        ['export', 'mart_mbt_plantd'],
        ['ui', 'mart_mbt_plantd'],
    ],
    ids=lambda arguments: arguments[0],
)
def test_unknown_model_is_answered_with_the_nearest(
    arguments: list[str], capsys: pytest.CaptureFixture
) -> None:
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert "'mart_mbt_plantd'" in said and "did you mean 'mart_mbt_planted'" in said


@pytest.mark.parametrize('name', TOOLS)
def test_tool_and_command_do_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tool, arguments = TOOLS[name]
    calls: list[Namespace] = []
    monkeypatch.setattr(load_command(name), 'run', lambda args: calls.append(args) or 7)
    assert import_module(tool).main(arguments) == 7
    assert main([name, *arguments]) == 7
    of_tool, of_command = map(vars, calls)
    assert of_tool == {key: value for key, value in of_command.items() if key != 'command'}


def test_training_gets_the_config_of_its_arguments(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)  # names are found from anywhere
    trained, tested = [], []
    monkeypatch.setattr('mart_mm.apis.run.train', trained.append)
    monkeypatch.setattr('mart_mm.apis.run.evaluate', tested.append)
    assert main(['train', 'mart/mart_mbt_planted', '--cfg-options', 'train_cfg.max_epochs=5']) == 0
    assert trained[0].train_cfg.max_epochs == 5
    assert trained[0].work_dir == 'work_dirs/mart_mbt_planted'
    assert main(['test', 'mart-mbt-planted', 'weights.pth', '--dump', 'scores']) == 0
    assert tested[0].load_from == 'weights.pth' and tested[0].test_evaluator.dump == 'scores'


class Calls(list):
    """A function that notes how it is called."""

    def __call__(self, *args: object, **kwargs: object) -> int:
        self.append((args, kwargs))
        return 0


def replace(monkeypatch: pytest.MonkeyPatch, module: str, function: str) -> tuple[Calls, object]:
    """Put a recorder in place of a function; also the function itself, where it can be imported."""
    parts = module.split('.')
    try:
        real = getattr(import_module(module), function)
    except ModuleNotFoundError:  # it, or a package that it needs, is not installed
        real = None
    calls, stand_in = Calls(), ModuleType(module)
    setattr(stand_in, function, calls)
    for n in range(2, len(parts)):
        name = '.'.join(parts[:n])
        if name not in sys.modules:
            monkeypatch.setitem(sys.modules, name, SimpleNamespace(__path__=[]))
    monkeypatch.setitem(sys.modules, module, stand_in)
    return calls, real


def finished_demo(folder: Path) -> Path:
    """The checkpoints that a demo leaves, empty."""
    for name in ('epoch_9.pth', 'epoch_30.pth', 'pretrained.pth'):
        path = folder / 'demo_out' / 'mart' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return Path('demo_out') / 'mart' / 'epoch_30.pth'


@pytest.mark.parametrize(
    ('arguments', 'module', 'function', 'expected'),
    [
        (
            ['infer', 'a.mp4', 'b', '--formats', 'json', 'csv', '--batch-size', '2', '--no-picture'],
            'mart_mm.apis.infer',
            'infer',
            dict(
                out_dir='outputs', device=None, batch_size=2, transcript=None,
                formats=('json', 'csv'), picture=False,
            ),
        ),
        (
            ['export', 'mart-mbt-planted', '--opset', '18'],
            'mart_mm.deploy.onnx',
            'export_onnx',
            dict(opset=18),
        ),
        (
            ['ui', '--port', '9000'],
            'mart_mm.ui',
            'serve',
            dict(host='127.0.0.1', port=9000, folder=None),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else '',
)  # fmt: skip
def test_functions_are_called_as_they_are_defined(
    arguments: list[str],
    module: str,
    function: str,
    expected: dict,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture,
) -> None:
    calls, real = replace(monkeypatch, module, function)
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2 and not calls  # there are no weights
    assert '`mart-mm demo` makes them' in capsys.readouterr().err
    weights = finished_demo(tmp_path)
    assert main(arguments) == 0
    ((given, options),) = calls
    assert expected.items() <= options.items()
    if function != 'serve':
        assert str(weights) in (*given, *options.values())
    if real is not None:
        inspect.signature(real).bind(*given, **options)


def test_a_checkpoint_needs_nothing_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    calls, _ = replace(monkeypatch, 'mart_mm.apis.infer', 'infer')
    monkeypatch.chdir(tmp_path)
    checkpoint = str(finished_demo(tmp_path))
    assert main(['infer', 'a.mp4', '--model', checkpoint]) == 0
    ((given, options),) = calls
    assert given == (['a.mp4'], checkpoint) and options['weights'] is None
    assert main(['infer', 'a.mp4', '--model', 'nowhere.pth']) == 2


def test_weights_that_are_not_there_are_named(capsys: pytest.CaptureFixture) -> None:
    assert main(['infer', 'a.mp4', '--weights', 'nowhere.pth']) == 2
    assert 'checkpoint nowhere.pth does not exist' in capsys.readouterr().err
