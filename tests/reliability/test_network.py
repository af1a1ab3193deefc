"""Without a network everything works, and nothing asks for one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name('offline_run.py')
#: what a careful user sets; without them libraries are free to ask
SWITCHES = ('HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE', 'HF_DATASETS_OFFLINE')


def cut() -> list[str]:
    """What runs a command without any network but its own loopback, where the kernel allows it."""
    command = ['unshare', '--net', '--map-root-user']
    if (
        shutil.which(command[0])
        and not subprocess.run([*command, 'true'], capture_output=True).returncode
    ):
        return command
    return []


def run(*arguments: object, cwd: Path = ROOT) -> subprocess.CompletedProcess:
    environment = {name: value for name, value in os.environ.items() if name not in SWITCHES}
    environment |= {'PYTHONPATH': f'{ROOT}{os.pathsep}{ROOT / "runtime"}'}
    return subprocess.run(
        [*cut(), sys.executable, *map(str, arguments)],
        cwd=cwd, env=environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip


def test_nothing_asks_for_the_network(
    tiny_config: Path, planted: Path, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    """Import of every module, training in both stages, testing, inference."""
    video = next((planted / 'videos').rglob('*.mp4'))
    out = tmp_path / 'asked.json'
    done = run(SCRIPT, tiny_config, tmp_path / 'work', video, out)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    result = json.loads(out.read_text())
    assert result['asked'] == []
    assert result['modules'] > 200 and result['segments'] == 6
    tell(f'{result["modules"]} modules; network cut by the kernel: {bool(cut())}')


def test_the_watch_sees_who_asks(tmp_path: Path) -> None:
    """The same watch on a process that does ask; and a cut network is one."""
    code = f"""
import sys; sys.path.insert(0, {str(SCRIPT.parent)!r})
import offline_run, socket
sys.addaudithook(offline_run.watch)
try:
    socket.create_connection(('192.0.2.1', 80), timeout=2)
except OSError as error:
    print(type(error).__name__)
print(len(offline_run.asked))
"""
    done = run('-c', code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[-1]) >= 2
