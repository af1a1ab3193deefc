"""Plant a data set: real mp4 files with sound and subtitles, of which the truth is known.

It stands in for a data set that one has to ask for, in that data set's own layout; records are videos,
pairs, utterances or windows.
"""

from __future__ import annotations

import argparse
import sys

from mart_mm.planted.options import LAYOUTS, Options
from mart_mm.utils.arguments import positive_int

HELP = 'plant a small data set with a known truth'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    defaults = Options()
    parser.add_argument(
        '--layout',
        choices=LAYOUTS,
        default=defaults.layout,
        help='the data set that is imitated (%(default)s)',
    )
    parser.add_argument(
        '--out',
        help='folder (data/planted, of other layouts data/planted_LAYOUT)',
    )
    parser.add_argument(
        '--train', type=int, default=defaults.train, help='training records (%(default)s)'
    )
    parser.add_argument(
        '--test', type=int, default=defaults.test, help='test records (%(default)s)'
    )
    parser.add_argument(
        '--segments', type=int, default=defaults.segments, help='of each record (%(default)s)'
    )
    parser.add_argument(
        '--segment-seconds',
        type=float,
        default=defaults.segment_seconds,
        help='of a segment (%(default)s)',
    )
    parser.add_argument(
        '--size', type=int, default=defaults.size, help='pixels, a multiple of 6 (%(default)s)'
    )
    parser.add_argument(
        '--fps', type=int, default=defaults.fps, help='frames per second (%(default)s)'
    )
    parser.add_argument(
        '--difficulty',
        type=float,
        default=defaults.difficulty,
        help='0 (easy) to 1 (hard) (%(default)s)',
    )
    parser.add_argument(
        '--misleading',
        type=float,
        default=defaults.misleading,
        help='probability of a misleading word where the emotion is planted (%(default)s)',
    )
    parser.add_argument(
        '--echo',
        type=float,
        default=defaults.echo,
        help='probability of a word of the emotion where it is not planted (%(default)s)',
    )
    parser.add_argument(
        '--blemishes',
        action=argparse.BooleanOptionalAction,
        default=defaults.blemishes,
        help='whether some files are silent, without subtitles, of variable rate or cut off (they are)',
    )
    parser.add_argument(
        '--seed', type=int, default=defaults.seed, help='of everything (%(default)s)'
    )
    parser.add_argument('--jobs', type=positive_int, default=2, help='processes (%(default)s)')
    parser.add_argument('--force', action='store_true', help='make again, replace other options')


def run(args: argparse.Namespace) -> int:
    """Plant; returns the exit code."""
    from dataclasses import fields

    from mart_mm.planted.make import make

    out = args.out or default_folder(args.layout)
    options = {field.name: getattr(args, field.name) for field in fields(Options)}
    try:
        make(out, jobs=args.jobs, force=args.force, progress=True, **options)
    except (FileExistsError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f'{args.train} training and {args.test} test records are in {out}')
    return 0


def default_folder(layout: str) -> str:
    """Where a layout is planted when no folder is given."""
    return 'data/planted' if layout == Options.layout else f'data/planted_{layout}'
