"""Text of annotation files; what cannot be read is named by file and line."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from mart_mm.errors import shown


def read_text(path: str | Path) -> str:
    r"""Text in UTF-8, with or without a byte order mark, with ``\n`` as line ends.

    Raises:
        ValueError: For another encoding, or a zero byte, naming file, line and remedy.
    """
    content = Path(path).read_bytes()
    broken, what = content.find(b'\0'), 'holds a zero byte'
    try:
        text = content.decode('utf-8-sig')
    except UnicodeDecodeError as error:
        if not 0 <= broken < error.start:
            broken, what = error.start, f'is not UTF-8 ({error.reason})'
        text = ''
    if broken >= 0:
        line = len(content[:broken].replace(b'\r\n', b'\n').replace(b'\r', b'\n').split(b'\n'))
        raise ValueError(f'{path}, line {line}: {what}; save the file as UTF-8')
    return text.replace('\r\n', '\n').replace('\r', '\n')


def read_lines(path: str | Path) -> Iterator[tuple[int, str]]:
    """Number, from 1, and text of each line that is not blank, without blanks around it.

    Raises:
        ValueError: As :func:`read_text`.
    """
    for number, line in enumerate(read_text(path).split('\n'), start=1):
        if line.strip():
            yield number, line.strip()


def parse_json(text: str, where: str) -> object:
    """Content of JSON.

    Args:
        text: A file or a line of it.
        where: Names it in errors.

    Raises:
        ValueError: For anything else, with the place.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f'{where}: not JSON ({error}); mend or write it anew') from error


def read_csv(path: str | Path) -> tuple[list[str], list[tuple[str, dict[str, str]]]]:
    """Columns, and rows with their place (file and line).

    Empty lines are left out; fields that a line does not have are empty.

    Raises:
        ValueError: For a line that has more fields than there are columns or is no CSV, and as
            :func:`read_text`.
    """
    reader = csv.reader(io.StringIO(read_text(path), newline=''), strict=True)
    columns, rows = [], []
    where = f'{path}, line 1'
    try:
        columns = [name.strip() for name in next(reader, [])]
        where = f'{path}, line {reader.line_num + 1}'
        for row in reader:
            if len(row) > len(columns):
                raise ValueError(
                    f'{where}: more fields than columns, {len(row)} and {len(columns)}; quote '
                    f'commas within a field ({shown(",".join(row))})'
                )
            if row:
                rows.append((where, dict(zip_longest(columns, row, fillvalue=''))))
            where = f'{path}, line {reader.line_num + 1}'
    except csv.Error as error:
        raise ValueError(
            f'{where}: no CSV ({error}); look for a quote that is not closed'
        ) from error
    return columns, rows
