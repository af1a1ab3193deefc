"""Imports of a training run, nothing else: see :mod:`.child`."""

import mmengine.runner  # noqa: F401

import mart_mm  # noqa: F401  first: it repairs what is imported below
import mart_mm.apis.run  # noqa: F401
import mart_mm.apis.shrink  # noqa: F401
import mart_mm.datasets  # noqa: F401
import mart_mm.engine  # noqa: F401
import mart_mm.evaluation  # noqa: F401
import mart_mm.models  # noqa: F401
