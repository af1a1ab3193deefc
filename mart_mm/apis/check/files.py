"""Weights, statistics and lexicons that a config names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from mmengine.config import Config

from mart_mm.apis.check.findings import ERROR, OK, Finding, told
from mart_mm.apis.run import NAMED_PARTS
from mart_mm.errors import WeightsError
from mart_mm.registry import LEXICONS
from mart_mm.weight_files import SUFFIXES
from mart_mm.weight_files.opening import open_checkpoint

#: a name with one of these is a file, not one of a hub
_SUFFIXES = frozenset(
    '.pth .pt .ckpt .bin .safetensors .npz .npy .pkl .onnx .json .csv .tsv .txt'.split()
)
#: read by the check of the data, or written by the run
_ELSEWHERE = ('dataset', 'dump', 'work_dir', 'vis_backends', 'cache')


def check_files(cfg: Config) -> list[Finding]:
    """Files outside of the data sets, and whether each lexicon opens."""
    findings = []
    for where, name in _strings(cfg.to_dict()):
        if Path(name).suffix.lower() in _SUFFIXES and '://' not in name:
            if Path(name).expanduser().exists():
                findings.append(_opened(where, name))
            else:
                remedy = f'put the file there, or set {where} (--cfg-options {where}=FILE)'
                message = f'{where}: {name} does not exist: {remedy}'
                findings.append(Finding(ERROR, 'files', message))
    return findings + list(_lexicons(cfg))


def _opened(where: str, name: str) -> Finding:
    """Whether a file of weights is whole and nothing but weights; others are opened by the run."""
    if Path(name).suffix in SUFFIXES and Path(name).expanduser().is_file():
        try:
            open_checkpoint(name, 'cpu')
        except (OSError, WeightsError) as error:
            return Finding(ERROR, 'files', f'{where}: {told(error)}')
    return Finding(OK, 'files', f'{where}: {name}')


def _lexicons(cfg: Config) -> Iterator[Finding]:
    seen = []
    for where, node in _nodes(cfg.to_dict(), 'lexicon'):
        if node in seen:
            continue
        seen.append(node)
        try:
            lexicon = LEXICONS.build(node)
        except (ImportError, OSError, LookupError, TypeError, ValueError) as error:
            yield Finding(ERROR, 'files', f'{where}: {told(error)}')
        else:
            yield Finding(OK, 'files', f'{where}: {node["type"]}, {len(lexicon)} concepts')


def _strings(node: object, where: str = '', key: str = '') -> Iterator[tuple[str, str]]:
    """Place and text of each string that may name a file."""
    if key in _ELSEWHERE or key.endswith(NAMED_PARTS):
        return
    if isinstance(node, str):
        yield where, node
    for name, value in _children(node):
        yield from _strings(value, _join(where, name), str(name))


def _nodes(node: object, wanted: str, where: str = '', key: str = '') -> Iterator[tuple[str, dict]]:
    """Place and content of each dict that stands under a key."""
    if not where and isinstance(node, dict):
        node = {k: v for k, v in node.items() if not k.endswith(NAMED_PARTS)}
    if key == wanted and isinstance(node, dict):
        yield where, node
        return
    for name, value in _children(node):
        yield from _nodes(value, wanted, _join(where, name), str(name))


def _children(node: object) -> Iterator[tuple[str | int, object]]:
    if isinstance(node, Mapping):
        yield from node.items()
    elif isinstance(node, (list, tuple)):
        yield from enumerate(node)


def _join(where: str, name: str | int) -> str:
    if isinstance(name, int):
        return f'{where}[{name}]'
    return f'{where}.{name}' if where else name
