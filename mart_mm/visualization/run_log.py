"""The log of a run that was interrupted and resumed, as one."""

from __future__ import annotations

import json
from pathlib import Path


def read_scalars(path: str | Path) -> list[dict]:
    """Records of ``vis_data/scalars.json``, which MMEngine writes beside the log.

    A last line that a kill cut off is left out.

    Raises:
        OSError: When the file cannot be read.
        ValueError: When a line is no record.
    """
    records = []
    for number, line in enumerate(Path(path).read_text(encoding='utf-8').splitlines(True), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            if records and not line.endswith('\n'):
                break
            raise ValueError(
                f'{path}, line {number}: no record ({error}): give vis_data/scalars.json of a run'
            ) from error
        records.append(record)
    return records


def scalar_files(work_dir: str | Path) -> list[Path]:
    """The file of each start of a run, in their order."""
    return sorted(Path(work_dir).glob('*/vis_data/scalars.json'))


def read_run(work_dir: str | Path) -> list[dict]:
    """Records of a run, of all its starts.

    A resumed run goes on from its last checkpoint, so it logs again what came after that before it was
    interrupted: what it logs counts. A run started anew in the same folder counts from its own start.

    Args:
        work_dir: The run's folder.

    Raises:
        OSError: When a file cannot be read.
        ValueError: When a line is no record.
    """
    records: list[dict] = []
    for file in scalar_files(work_dir):
        new = read_scalars(file)
        if new:
            first = _moment(new[0])
            records = [record for record in records if _moment(record) < first] + new
    return records


def _moment(record: dict) -> tuple[int, bool, int]:
    """Epoch, whether it was evaluated, step: evaluations follow the steps of their epoch."""
    if 'epoch' in record:
        return record['epoch'], False, record['iter']
    return record['step'], True, 0
