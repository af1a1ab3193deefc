"""Parameters and FLOPs of a config by part and by stage.

python tools/analysis/flops.py CONFIG [--progress 0.0 1.0] [--batch-size 1] [--json]

Counted are forward passes of the fine-tuning stage and of the pretraining stage, which has an
unmasked and a masked pass. The latter hides more tokens the further training is, so it is counted
early and late, once with hidden tokens dropped and once with mask tokens in their place. A
multiplication with its addition counts as two. Totals are those of torch's ``FlopCounterMode``;
beside them stands a count by formulas of our own. Nothing is computed, so a full-size model takes
seconds.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import mart_mm  # noqa: E402, F401  first: it repairs what is imported below

# isort: split
from mmengine.config import Config, DictAction  # noqa: E402

from tools.analysis.flop_stages import StageCount, count_config  # noqa: E402

#: largest relative difference of the two counts that needs no explanation
TOLERANCE = 0.01


def table(parameters: dict[str, int], stages: list[StageCount]) -> str:
    """Readable lines: parts down, parameters and stages in blocks."""
    lines = [f'{"parameters":<46}{sum(parameters.values()) / 1e6:>12.3f} M']
    lines += [f'  {part:<44}{n / 1e6:>12.3f} M' for part, n in parameters.items() if n]
    for stage in stages:
        hidden = ', '.join(f'{name} {share:.1%}' for name, share in stage.masked.items())
        lines += ['', stage.stage + (f' (hidden: {hidden})' if hidden else '')]
        lines += [f'  {part:<44}{n / 1e9:>12.3f} G' for part, n in stage.flops.items() if n]
        lines += [
            f'  {"total":<44}{stage.total / 1e9:>12.3f} G',
            f'  {"by formula":<44}{stage.analytic / 1e9:>12.3f} G  ({stage.difference:.3%} apart)',
        ]
    return '\n'.join(lines)


def main() -> int:
    """Command line; 1 when the two counts are too far apart."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config')
    parser.add_argument('--progress', type=float, nargs='+', default=[0.0, 1.0])
    parser.add_argument('--batch-size', type=int, default=1)
    parser.add_argument('--num-segments', type=int, help="default: the pipeline's")
    parser.add_argument('--num-cues', type=int, default=8, help='words per segment')
    parser.add_argument('--json', action='store_true', help='print JSON')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, default={})
    args = parser.parse_args()
    cfg = Config.fromfile(args.config)
    cfg.merge_from_dict(args.cfg_options)
    parameters, stages = count_config(
        cfg,
        progress=tuple(args.progress),
        batch_size=args.batch_size,
        num_segments=args.num_segments,
        num_cues=args.num_cues,
    )
    if args.json:
        rows = [s._asdict() | dict(total=s.total, difference=s.difference) for s in stages]
        print(json.dumps(dict(parameters=parameters, stages=rows), indent=2))
    else:
        print(table(parameters, stages))
    apart = [stage.stage for stage in stages if stage.difference >= TOLERANCE]
    if apart:
        print(f'formulas do not cover all of {apart}: trust the totals', file=sys.stderr)
    return 1 if apart else 0


if __name__ == '__main__':
    sys.exit(main())
