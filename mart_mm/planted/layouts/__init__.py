"""How each data set keeps its files."""

from __future__ import annotations

from importlib import import_module

from mart_mm.planted.layouts.base import Layout
from mart_mm.planted.options import Options


def build_layout(options: Options) -> Layout:
    """The layout that the options name; it brings in the data set's class and PyTorch with it."""
    return import_module(f'{__name__}.{options.layout}').LAYOUT(options)
