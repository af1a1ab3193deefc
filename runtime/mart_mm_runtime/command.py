"""Command ``mart-mm-run``: an exported model and a video in, an emotion report out."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from mart_mm_runtime.errors import MediaError
from mart_mm_runtime.model import EmotionModel
from mart_mm_runtime.version import __version__


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns:
        0, or 1 when the model or the video cannot be read.
    """
    parser = argparse.ArgumentParser(prog='mart-mm-run', description=__doc__)
    parser.add_argument('model', help='exported model (.onnx)')
    parser.add_argument('video', help='video file')
    parser.add_argument('--out', help='where the report is written as JSON (default: shown)')
    parser.add_argument(
        '--segment-seconds', type=float, help='length of a segment (default: as in training)'
    )
    parser.add_argument('--threads', type=int, help='threads of the computation')
    parser.add_argument('--version', action='version', version=__version__)
    args = parser.parse_args(arguments)
    try:
        report = EmotionModel(args.model, args.segment_seconds, args.threads)(args.video)
    except (MediaError, ValueError) as error:
        print(f'mart-mm-run: {error}', file=sys.stderr)
        return 1
    text = json.dumps(report, ensure_ascii=False, indent=1)
    if args.out is None:
        print(text)
    else:
        Path(args.out).parent.mkdir(parents=True, exist_ok=True)
        Path(args.out).write_text(text, encoding='utf-8')
    return 0


if __name__ == '__main__':
    sys.exit(main())
