"""Convert a AST checkpoint: python tools/convert/convert_ast.py IN OUT.pth.

IN is a Hugging Face folder, a .safetensors or a .pth in Hugging Face's or the authors' layout. The result
is what ``pretrained=`` of the stream loads; it also loads IN itself, so this is for keeping a plain file.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import mart_mm  # noqa: E402, F401
from mart_mm.models.weights import WeightsError, convert_ast, read_state  # noqa: E402
from tools.convert.common import save_converted  # noqa: E402


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('source', help='checkpoint of AST')
    parser.add_argument('target', help='file to write')
    parser.add_argument(
        '--grid', type=int, nargs=2, default=(12, 9), help='(frequency, time) tokens of the target'
    )
    args = parser.parse_args()
    try:
        converted, unused = convert_ast(read_state(args.source), tuple(args.grid))
        return save_converted(converted, unused, args.target)
    except WeightsError as error:
        print(f'{args.source}: {error}', file=sys.stderr)
        return 1


if __name__ == '__main__':
    sys.exit(main())
