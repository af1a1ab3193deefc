"""Each repair, with its fault present and with its fault absent."""

import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from mart_mm import compat
from mart_mm.errors import WeightsError
from mart_mm.utils import download
from mart_mm.weight_files.opening import open_checkpoint

ROOT = Path(__file__).resolve().parents[1]


def python(code: str, *paths: Path) -> subprocess.CompletedProcess:
    """Run code in a fresh interpreter, with packages of our making first on the path."""
    search = os.pathsep.join([*map(str, paths), str(ROOT)])
    return subprocess.run(
        [sys.executable, '-c', code],
        env=os.environ | {'PYTHONPATH': search},
        capture_output=True,
        text=True,
    )


def check(code: str, *paths: Path) -> str:
    done = python(code, *paths)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.strip()


def test_importing_the_package_imports_nothing_heavy() -> None:
    loaded = check('import sys, mart_mm; print(*[m for m in sys.modules if "." not in m])').split()
    assert not {'torch', 'mmengine', 'mmaction', 'transformers', 'numpy'} & set(loaded)


def test_stack_imports_with_repairs_only() -> None:
    """The stack of this environment has the faults; without the repairs it does not start."""
    code = 'import mmaction.models; from mmaction.registry import MODELS; print(len(MODELS))'
    assert python(code).returncode != 0
    assert int(check(f'import mart_mm; {code}').splitlines()[-1]) > 50


def fake_mmaction(folder: Path, *, with_drn: bool) -> Path:
    """A package with mmaction2's layout that imports the folder its wheel forgot."""
    models = folder / 'mmaction' / 'models' / 'localizers'
    models.mkdir(parents=True)
    utils = folder / 'mmaction' / 'utils'
    utils.mkdir()
    (folder / 'mmaction' / '__init__.py').touch()
    (utils / '__init__.py').touch()
    (utils / 'dependency.py').write_text('WITH_MULTIMODAL = True\n')
    (folder / 'mmaction' / 'models' / '__init__.py').write_text(
        'from .localizers.drn.drn import DRN\n'
    )
    (models / '__init__.py').touch()
    if with_drn:
        (models / 'drn').mkdir()
        (models / 'drn' / '__init__.py').touch()
        (models / 'drn' / 'drn.py').write_text('class DRN:\n    is_real = True\n')
    return folder


@pytest.mark.parametrize('with_drn', [False, True])
def test_missing_folder_of_mmaction(tmp_path: Path, with_drn: bool) -> None:
    folder = fake_mmaction(tmp_path, with_drn=with_drn)
    code = 'import mmaction.models as m; print(hasattr(m.DRN, "is_real"))'
    assert (python(code, folder).returncode == 0) == with_drn
    assert check(f'import mart_mm; {code}', folder) == str(with_drn)


@pytest.mark.parametrize(('version', 'expected'), [('5.23.0', 'False'), ('4.57.0', 'True')])
def test_multimodal_part_is_off_only_beside_new_transformers(
    tmp_path: Path, version: str, expected: str
) -> None:
    folder = fake_mmaction(tmp_path, with_drn=True)
    (folder / 'transformers-x.dist-info').mkdir()
    (folder / 'transformers-x.dist-info' / 'METADATA').write_text(
        f'Metadata-Version: 2.1\nName: transformers\nVersion: {version}\n'
    )
    code = (
        'import mart_mm, mmaction.models; from mmaction.utils import dependency; '
        'print(dependency.WITH_MULTIMODAL)'
    )
    assert check(code, folder) == expected


def test_torchvision_schemas_are_declared_only_where_operators_do_not_load() -> None:
    code = (
        'import mart_mm, torch, torchvision; from mart_mm import compat; '
        'print(compat._torchvision_fits(), hasattr(compat, "_library"), '
        'hasattr(torch.ops.torchvision, "nms"))'
    )
    fits, declared, has_nms = check(code).split()
    assert has_nms == 'True'
    assert declared == str(fits == 'False')


def test_fitting_torchvision_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compat, '_torchvision_fits', lambda: True)
    monkeypatch.setattr(torch.library, 'Library', lambda *_: pytest.fail('declared a schema'))
    compat.declare_torchvision_ops()


def test_apply_twice_installs_one_finder() -> None:
    before = list(sys.meta_path)
    compat.apply()
    assert sys.meta_path == before


def test_configs_are_known_to_mmengine() -> None:
    from mmengine.config.utils import MODULE2PACKAGE

    assert MODULE2PACKAGE['mart_mm'] == 'mart-mm'


@pytest.mark.parametrize('has_resources', [False, True])
def test_packages_are_found_without_pkg_resources(tmp_path: Path, has_resources: bool) -> None:
    if has_resources:  # then mmengine's own functions stay
        (tmp_path / 'pkg_resources.py').write_text(
            'DistributionNotFound = get_distribution = None\n'
        )
    code = (
        'import mart_mm; from mmengine.utils import is_installed, get_installed_path as where; '
        'print(is_installed.__module__)'
    )
    module = check(code, tmp_path)
    assert module == ('mmengine.utils.package_utils' if has_resources else 'mart_mm.compat')
    if not has_resources:
        found = check(
            code + '; print(is_installed("mart-mm"), is_installed("no_such"), where("torch"))'
        )
        assert found.splitlines()[-1] == f'True False {Path(torch.__file__).parent}'


def plain_checkpoint(path: Path) -> None:
    """What mmengine saves without our hook: a message hub with log buffers."""
    import numpy as np
    from mmengine.logging import HistoryBuffer

    buffer = HistoryBuffer()
    for value in (3.0, 1.0, 2.0):
        buffer.update(value)
    content = dict(
        state_dict={'w': torch.ones(2)},
        message_hub=dict(log_scalars={'loss': buffer}, runtime_info={'best': np.float64(3.5)}),
    )
    torch.save(content, path)


def test_checkpoint_of_plain_mmengine_resumes(tmp_path: Path) -> None:
    plain_checkpoint(tmp_path / 'a.pth')
    with pytest.raises(pickle.UnpicklingError):
        torch.load(tmp_path / 'a.pth', weights_only=True)
    from mmengine.runner.checkpoint import CheckpointLoader

    loaded = CheckpointLoader.load_checkpoint(str(tmp_path / 'a.pth'))
    assert loaded['message_hub']['log_scalars']['loss'].mean() == 2.0
    assert loaded['message_hub']['runtime_info']['best'] == 3.5
    with pytest.raises(pickle.UnpicklingError):  # allowed for that call only
        torch.load(tmp_path / 'a.pth', weights_only=True)


class RunsCode:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return os.system, (f'touch {self.path}',)


class ReachesForCode:
    """Asks for an attribute of a class that the loader knows, as a way to anything."""

    def __reduce__(self) -> tuple:
        from mmengine.logging import HistoryBuffer

        return getattr, (HistoryBuffer, '__init__')


@pytest.mark.parametrize('kind', ['system', 'getattr'])
def test_code_in_a_checkpoint_is_refused(tmp_path: Path, kind: str) -> None:
    evil = RunsCode(tmp_path / 'ran') if kind == 'system' else ReachesForCode()
    torch.save({'state_dict': evil}, tmp_path / 'evil.pth')
    with pytest.raises(WeightsError, match=r'evil\.pth .*could run code'):
        compat.load_from_local(str(tmp_path / 'evil.pth'))
    assert not (tmp_path / 'ran').exists()


def test_missing_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r'none\.pth'):
        compat.load_from_local(str(tmp_path / 'none.pth'))


class _Quiet(SimpleHTTPRequestHandler):
    breaks_off = False

    def log_message(self, *_: object) -> None:
        pass

    def copyfile(self, source: object, out: object) -> None:
        out.write(source.read(100 if self.breaks_off else -1))


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Of a server of the files in ``tmp_path``; downloads go beside them."""
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path / 'hub'))
    handler = partial(_Quiet, directory=str(tmp_path))
    with ThreadingHTTPServer(('127.0.0.1', 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f'http://127.0.0.1:{server.server_port}'
        server.shutdown()


def test_what_is_downloaded_runs_no_code(address: str, tmp_path: Path) -> None:
    """MMEngine opens addresses with ``weights_only=False``."""
    from mmengine.runner.checkpoint import CheckpointLoader, load_from_torchvision

    torch.save({'state_dict': RunsCode(tmp_path / 'ran')}, tmp_path / 'evil.pth')
    torch.save({'state_dict': {'w': torch.ones(2)}}, tmp_path / 'good.pth')
    with pytest.raises(WeightsError, match=r'evil\.pth .*could run code'):
        CheckpointLoader.load_checkpoint(f'{address}/evil.pth')
    with pytest.MonkeyPatch.context() as patch:  # its scheme looks the address up
        patch.setattr(
            'mmengine.runner.checkpoint.get_torchvision_models',
            lambda: dict(evil=f'{address}/evil.pth'),
        )
        with pytest.raises(WeightsError, match='could run code'):
            load_from_torchvision('torchvision://evil')
    assert not (tmp_path / 'ran').exists()
    good = CheckpointLoader.load_checkpoint(f'{address}/good.pth')
    assert good['state_dict']['w'].tolist() == [1, 1]
    (tmp_path / 'good.pth').unlink()  # it is downloaded once
    assert CheckpointLoader.load_checkpoint(f'{address}/good.pth').keys() == good.keys()
    with pytest.raises(OSError, match=r'none\.pth cannot be downloaded .*give its path'):
        CheckpointLoader.load_checkpoint(f'{address}/none.pth')


def test_a_download_that_breaks_off_is_not_kept(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """torch's own download takes what has come for all of it."""
    monkeypatch.setattr(download, '_PAUSE', 0.0)
    torch.save({'state_dict': {'w': torch.ones(2)}}, tmp_path / 'good.pth')
    size = (tmp_path / 'good.pth').stat().st_size
    with monkeypatch.context() as patch:
        patch.setattr(_Quiet, 'breaks_off', True)
        with pytest.raises(OSError, match=f'breaks off after 100 of {size} bytes'):
            open_checkpoint(f'{address}/good.pth')
    assert not [path for path in (tmp_path / 'hub').rglob('*') if path.is_file()]
    assert open_checkpoint(f'{address}/good.pth')['state_dict']['w'].tolist() == [1, 1]
