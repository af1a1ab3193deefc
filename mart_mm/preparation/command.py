"""The command line of ``tools/data/<data set>/prepare.py``."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mart_mm.preparation.engine import Report

_SHOWN = 8  # lines of a kind; the rest is in the file


def build_parser(data_set: str, description: str) -> argparse.ArgumentParser:
    """The options that all data sets have."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument('--source', required=True, help='what was downloaded, unpacked')
    parser.add_argument('--out', default=f'data/{data_set}', help='folder to prepare')
    parser.add_argument(
        '--lists', default=argparse.SUPPRESS, help='folder of the lists (default: looked for)'
    )
    parser.add_argument(
        '--short-side',
        type=int,
        default=argparse.SUPPRESS,
        metavar='PIXELS',
        help='make small copies (h264, AAC), which train several times faster (default: unchanged)',
    )
    parser.add_argument('--gop', type=int, default=12, help='frames between key frames of a copy')
    parser.add_argument(
        '--link', choices=('sym', 'hard', 'copy'), default='sym', help='for files left unchanged'
    )
    parser.add_argument('--jobs', type=int, default=os.cpu_count(), help='processes')
    parser.add_argument(
        '--max-failed-share',
        type=float,
        default=0.05,
        help='with more videos broken or missing the exit code is 1',
    )
    parser.add_argument('--force', action='store_true', help='replace what other options made')
    return parser


def main(
    data_set: str,
    description: str,
    arguments: Sequence[str] | None = None,
    own_options: Callable[[argparse.ArgumentParser], Sequence[str]] | None = None,
) -> int:
    """Run the command line.

    Args:
        data_set: A module of :mod:`mart_mm.preparation.layouts`.
        description: Of the tool.
        arguments: In place of the command line's.
        own_options: Adds the data set's own options and returns their names.

    Returns:
        0, or 1 when something that is needed is missing or too many videos failed.
    """
    parser = build_parser(data_set, description)
    own = own_options(parser) if own_options else ()
    args = parser.parse_args(arguments)
    short_side = getattr(args, 'short_side', None)
    if args.jobs < 1 or args.gop < 1 or (short_side is not None and short_side < 16):
        parser.error('--jobs and --gop are at least 1, --short-side at least 16')
    if not 0 <= args.max_failed_share <= 1:
        parser.error('--max-failed-share is a share from 0 to 1')

    from mart_mm.preparation.engine import FAILURES, prepare
    from mart_mm.preparation.placing import Placement
    from mart_mm.preparation.plan import PreparationError

    layout = import_module(f'mart_mm.preparation.layouts.{data_set}')
    options = {name: getattr(args, name) for name in own}
    try:
        source, lists = _folders(args)
        plan = layout.plan(source, lists, **options)
        placement = Placement(args.link, short_side, args.gop)
        report = prepare(data_set, plan, args.out, placement, options, args.jobs, args.force)
    except (PreparationError, OSError) as error:
        parser.error(str(error))
    except KeyboardInterrupt:
        parser.exit(130, '\nstopped; the same command goes on from here\n')
    _print(report, args.out)
    is_bad = bool(report.plan.lacking) or report.failed_share > args.max_failed_share
    if report.failed or report.missing or report.plan.lacking:
        print(f'all of them: {Path(args.out) / FAILURES}')
    return 1 if is_bad else 0


def _folders(args: argparse.Namespace) -> tuple[Path, Path | None]:
    from mart_mm.preparation.plan import PreparationError

    folders = dict(source=args.source, lists=getattr(args, 'lists', None))
    for name, folder in folders.items():
        if folder is not None and not Path(folder).is_dir():
            raise PreparationError(f'--{name} {folder} is no folder')
    source, out = Path(args.source).resolve(), Path(args.out).resolve()
    if source == out or source in out.parents or out in source.parents:
        raise PreparationError(f'--out {out} and --source {source} must lie apart')
    return source, folders['lists'] and Path(folders['lists']).resolve()


def _print(report: Report, out: str) -> None:
    plan = report.plan
    for line in plan.notes:
        print(line)
    wanted = len(plan.media) + len(report.missing)
    print(f'{report.ready} of {wanted} videos are in {out}, {report.made} of them new')
    kinds = [
        ('needed', plan.lacking),
        ('missing', [f'{target}: {reason}' for target, reason in report.missing.items()]),
        ('broken', [f'{path}: {reason}' for path, reason in report.failed.items()]),
        ('in no list', plan.unused),
    ]
    for kind, lines in kinds:
        for line in lines[:_SHOWN]:
            print(f'{kind}: {line}')
        if len(lines) > _SHOWN:
            print(f'{kind}: {len(lines)} in all')
