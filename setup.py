"""Builds the package; configs and the model index go into the wheel below ``mart_mm/.mim``."""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent


class BuildWithConfigs(build_py):
    """Copies what MMEngine looks for in an installed package."""

    def run(self) -> None:
        """Build, then copy."""
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib) / 'mart_mm' / '.mim'
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(
            ROOT / 'configs', target / 'configs', ignore=shutil.ignore_patterns('__pycache__')
        )
        shutil.copy(ROOT / 'model-index.yml', target)


setup(cmdclass={'build_py': BuildWithConfigs})
