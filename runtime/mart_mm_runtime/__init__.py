"""Runs exported MART-MM models on videos with numpy, PyAV and ONNX Runtime alone."""

from mart_mm_runtime.version import __version__

__all__ = ['__version__']
