"""MART-MM: masked affective representation learning for video emotion analysis."""

from mart_mm import compat
from mart_mm.version import __version__

compat.apply()

__all__ = ['__version__']
