"""Write the planted data set: videos, subtitles, annotations and truth."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

_ROOT = str(Path(__file__).resolve().parents[3])
if _ROOT not in sys.path:  # run as a file, only this folder is on the path
    sys.path.insert(0, _ROOT)

from mart_mm.planted.make import make  # noqa: E402
from mart_mm.planted.options import LAYOUTS, Options  # noqa: E402


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    defaults = Options()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument(
        '--layout', choices=LAYOUTS, default=defaults.layout, help='the data set that is imitated'
    )
    parser.add_argument(
        '--out',
        default=argparse.SUPPRESS,
        help='folder (default: data/planted, of other layouts data/planted_LAYOUT)',
    )
    parser.add_argument(
        '--train', type=int, default=defaults.train, help='training videos, utterances or windows'
    )
    parser.add_argument('--test', type=int, default=defaults.test, help='the same for testing')
    parser.add_argument('--segments', type=int, default=defaults.segments, help='of each of them')
    parser.add_argument(
        '--segment-seconds',
        type=float,
        default=defaults.segment_seconds,
        help='length of a segment',
    )
    parser.add_argument('--size', type=int, default=defaults.size, help='pixels, a multiple of 6')
    parser.add_argument('--fps', type=int, default=defaults.fps, help='frames per second')
    parser.add_argument(
        '--difficulty', type=float, default=defaults.difficulty, help='0 (easy) to 1 (hard)'
    )
    parser.add_argument(
        '--misleading',
        type=float,
        default=defaults.misleading,
        help='probability of a misleading word where the emotion is planted',
    )
    parser.add_argument(
        '--echo',
        type=float,
        default=defaults.echo,
        help='probability of a word of the emotion where it is not planted',
    )
    parser.add_argument(
        '--blemishes',
        action=argparse.BooleanOptionalAction,
        default=defaults.blemishes,
        help='whether some files are silent, without subtitles, of variable rate or cut off',
    )
    parser.add_argument('--seed', type=int, default=defaults.seed, help='of everything')
    parser.add_argument('--jobs', type=int, default=2, help='processes')
    parser.add_argument('--force', action='store_true', help='make again, replace other options')
    chosen = vars(parser.parse_args(arguments))
    suffix = '' if chosen['layout'] == defaults.layout else f'_{chosen["layout"]}'
    chosen.setdefault('out', f'data/planted{suffix}')
    try:
        out = make(progress=True, **chosen)
    except (FileExistsError, ValueError) as error:
        parser.error(str(error))
    print(f'{chosen["train"]} training and {chosen["test"]} test records are in {out}')


if __name__ == '__main__':
    main()
