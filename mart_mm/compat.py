"""Repairs without which the OpenMMLab stack does not start on today's PyTorch.

Each repair is made just before the module in question is first imported, and only where its fault is
present. Importing this module imports nothing heavy. Versions and dates say when a repair was last
needed; remove it when its test finds no fault any more.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType

_DRN = 'mmaction.models.localizers.drn'
_before: dict[str, Callable[[], None]] = {}
_after: dict[str, Callable[[ModuleType], None]] = {}


def apply() -> None:
    """Install all repairs; calling it again changes nothing."""
    if any(isinstance(finder, _Watcher) for finder in sys.meta_path):
        return
    _before.update({'torchvision': declare_torchvision_ops, 'mmaction.models': mend_mmaction})
    _after.update(
        {
            'mmengine.runner.checkpoint': use_safe_loader,
            'mmengine.config.utils': register_package,
            'mmengine.utils.package_utils': look_up_packages,
        }
    )
    sys.meta_path.insert(0, _Watcher())
    for name, repair in _after.items():
        if name in sys.modules:
            repair(sys.modules[name])


class _Watcher(importlib.abc.MetaPathFinder):
    """Runs a repair when a module is first imported, and leaves the importing to others."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        repair = _before.pop(name, None)
        if repair is not None:
            repair()
            return None
        repair_after = _after.pop(name, None)
        if repair_after is None:
            return None
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, repair_after)
        return spec


class _Loader(importlib.abc.Loader):
    """Loads a module as its own loader does, then repairs it."""

    def __init__(self, loader: importlib.abc.Loader, repair: Callable[[ModuleType], None]) -> None:
        self.loader, self.repair = loader, repair

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self.loader.exec_module(module)
        self.repair(module)

    def __getattr__(self, name: str) -> object:  # e.g. get_source, for tracebacks
        return getattr(self.loader, name)


def declare_torchvision_ops() -> None:
    """Let torchvision be imported beside a CPU torch (torchvision 0.28, 2026-11).

    The wheel on PyPI is built for CUDA; beside a CPU torch its compiled operators do not load, and its
    import dies at ``operator torchvision::nms does not exist``. Declaring the schemas is enough for all
    of its Python. Nothing is declared where the wheel and torch fit.
    """
    if importlib.util.find_spec('torchvision') is None or _torchvision_fits():
        return
    import torch

    library = torch.library.Library('torchvision', 'FRAGMENT')
    for schema in (
        'nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor',
        'qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor',
    ):
        if not hasattr(torch.ops.torchvision, schema.partition('(')[0]):
            library.define(schema)
    globals()['_library'] = library  # the schemas live as long as this object


def _torchvision_fits() -> bool:
    """Whether torchvision's compiled operators load into this torch."""
    import torch

    spec = importlib.util.find_spec('torchvision')
    extension = next(Path(spec.origin).parent.glob('_C*'), None)
    if extension is None:
        return False
    try:
        torch.ops.load_library(str(extension))
    except OSError:
        return False
    return True


def mend_mmaction() -> None:
    """Let ``mmaction.models`` be imported (mmaction2 1.2.0, 2026-11).

    Two faults: the wheel lacks the folder ``localizers/drn``
    (https://github.com/open-mmlab/mmaction2/issues/2714), and with transformers installed it imports a
    model that needs names transformers has dropped.
    """
    package = importlib.util.find_spec('mmaction')
    folder = Path(package.submodule_search_locations[0])
    if not (folder / 'models' / 'localizers' / 'drn').is_dir():
        for name in (_DRN, f'{_DRN}.drn'):
            module = ModuleType(name, 'Stand-in: the wheel of mmaction2 lacks this module.')
            module.__path__ = []
            sys.modules.setdefault(name, module)
        sys.modules[f'{_DRN}.drn'].DRN = type('DRN', (), {'__doc__': 'Not in this wheel.'})
    if _lacks_vindlu_names():
        from mmaction.utils import dependency

        dependency.WITH_MULTIMODAL = False


def _lacks_vindlu_names() -> bool:
    """Whether transformers dropped ``apply_chunking_to_forward`` from its modelling helpers."""
    try:
        major = int(version('transformers').partition('.')[0])
    except PackageNotFoundError:
        return False
    return major >= 5


def register_package(module: ModuleType) -> None:
    """Make ``mart_mm::`` configs and model names known to MMEngine (0.10.7, 2026-11)."""
    module.MODULE2PACKAGE.setdefault('mart_mm', 'mart-mm')


def look_up_packages(module: ModuleType) -> None:
    """Let MMEngine find installed packages without ``pkg_resources`` (mmengine 0.10.7, 2026-11).

    setuptools 82 dropped ``pkg_resources``; with it go configs and models by name
    (``get_config('mart_mm::...')``). Nothing changes where it is still there.
    """
    if importlib.util.find_spec('pkg_resources') is not None:
        return

    def find(package: str) -> importlib.machinery.ModuleSpec | None:
        return importlib.util.find_spec(package.replace('-', '_'))

    def is_installed(package: str) -> bool:
        spec = find(package)
        return spec is not None and spec.origin is not None

    def get_installed_path(package: str) -> str:
        if not is_installed(package):
            raise ModuleNotFoundError(f'package {package!r} is not installed')
        return str(Path(find(package).origin).parent)

    module.is_installed, module.get_installed_path = is_installed, get_installed_path


def load_from_local(filename: str, map_location: object = None) -> object:
    """MMEngine's loader of local files, see :func:`mart_mm.weight_files.opening.open_checkpoint`."""
    from mart_mm.weight_files.opening import open_checkpoint

    return open_checkpoint(Path(filename), map_location)


def load_from_http(filename: str, map_location: object = None, **_: object) -> object:
    """MMEngine's loader of files at an address; see :func:`load_from_local`."""
    from mart_mm.weight_files.opening import open_checkpoint

    return open_checkpoint(filename, map_location)


def use_safe_loader(module: ModuleType) -> None:
    """Let MMEngine open checkpoints without running code from them (mmengine 0.10.7, 2026-11).

    torch's loader became safe by default and refuses MMEngine's log buffers
    (https://github.com/open-mmlab/mmengine/issues/1655). The loader of addresses is not the safe one even
    now: what is downloaded could run code. Schemes such as ``torchvision://`` call it by its name.
    """
    module.CheckpointLoader.register_scheme(prefixes='', loader=load_from_local, force=True)
    module.load_from_http = load_from_http
    http = ('http://', 'https://')
    module.CheckpointLoader.register_scheme(prefixes=http, loader=load_from_http, force=True)
