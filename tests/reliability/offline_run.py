"""Everything from import to a report, in a process that writes down who asks for the network."""

from __future__ import annotations

import json
import pkgutil
import sys
from importlib import import_module
from pathlib import Path

#: events of Python's audit hooks by which a process reaches others, or asks for their address
WATCHED = {'socket.connect', 'socket.getaddrinfo', 'socket.gethostbyname', 'socket.sendto'}
asked: list[str] = []


def watch(event: str, arguments: tuple) -> None:
    """Note it; asking again after a refusal counts too."""
    if event in WATCHED:
        asked.append(f'{event} {arguments[1:] if event == "socket.connect" else arguments}')


def main(config: Path, work_dir: Path, video: Path, out: Path) -> None:
    """Import all modules, train, test, infer; write what was asked for and what came out."""
    sys.addaudithook(watch)
    import mart_mm

    parts = pkgutil.walk_packages(mart_mm.__path__, 'mart_mm.')
    names = [part.name for part in parts if not part.name.endswith('__main__')]
    for name in names:
        try:
            import_module(name)
        except ModuleNotFoundError as error:  # of an extra that is not installed
            if (error.name or '').startswith('mart_mm'):
                raise
    from mart_mm.apis import MARTInferencer
    from tools.test import main as test
    from tools.train import main as train

    assert train([str(config), '--work-dir', str(work_dir)]) == 0
    checkpoint = work_dir / 'iter_12.pth'
    assert test([str(config), str(checkpoint), '--work-dir', str(work_dir / 'test')]) == 0
    report = MARTInferencer(checkpoint, device='cpu', show_progress=False).report(video)
    result = dict(asked=asked, modules=len(names), segments=len(report.segments))
    out.write_text(json.dumps(result))


if __name__ == '__main__':
    main(*map(Path, sys.argv[1:]))
