from __future__ import annotations

import sys
from pathlib import Path

# the scripts of that folder are run as files and import each other by name
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / 'benchmarks'))
