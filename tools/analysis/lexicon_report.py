"""What the lexicon finds in a config's transcripts: python tools/analysis/lexicon_report.py CONFIG.

Coverage, concepts a minute, polarity, classes and moods of the cues by label, the most frequent concepts
and unknown words, and the videos without transcript. No frame is decoded.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

_ROOT = str(Path(__file__).resolve().parents[2])
if _ROOT not in sys.path:  # run as a file, only this folder is on the path
    sys.path.insert(0, _ROOT)

from mart_mm.utils.arguments import add_cfg_options  # noqa: E402


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file')
    parser.add_argument(
        '--split', nargs='+', choices=('train', 'val', 'test'), default=['train'], help='(train)'
    )
    parser.add_argument(
        '--json', metavar='FILE', help='write the figures, a list with one per split'
    )
    parser.add_argument('--out', metavar='DIR', help='draw heat maps of classes and moods by label')
    add_cfg_options(parser)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0, 1 when no video was read, 2 for wrong input."""
    args = build_parser().parse_args(arguments)
    import mart_mm  # noqa: F401  first: it repairs what is imported below

    # isort: split
    from mmengine.config import Config

    from mart_mm.apis.lexicon_report import lexicon_report
    from mart_mm.apis.lexicon_tables import draw, to_json, to_text
    from mart_mm.utils.atomic import write_text

    try:
        cfg = Config.fromfile(args.config)
        cfg.merge_from_dict(args.cfg_options)
        reports = [lexicon_report(cfg, split) for split in dict.fromkeys(args.split)]
    except (OSError, LookupError, TypeError, ValueError) as error:
        print(error.args[0] if isinstance(error, KeyError) else error, file=sys.stderr)
        return 2
    for report in reports:
        print(to_text(report), end='\n\n')
        for picture in draw(report, args.out) if args.out else ():
            print(picture)
    if args.json:
        content = json.dumps([to_json(report) for report in reports], indent=1, ensure_ascii=False)
        write_text(args.json, content + '\n')
    return int(not any(report.videos for report in reports))


if __name__ == '__main__':
    sys.exit(main())
