"""Say what emotion videos convey, when, and because of which words.

A report per video goes to --out. Without --weights the weights are those that the index of models names;
the default model's are made by `mart-mm demo` and taken from demo_out in the current folder. That model has
seen planted affect only: for people's videos train one on people's videos, and name it and its checkpoint.
"""

from __future__ import annotations

import argparse

from mart_mm.utils.arguments import positive_int

HELP = 'say what emotion videos convey, when, and because of which words'
DEFAULT_MODEL = 'mart_mbt_planted'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument(
        'inputs', nargs='+', metavar='VIDEO', help='media files, or folders of them'
    )
    parser.add_argument(
        '--model',
        default=DEFAULT_MODEL,
        help='name of a model, config file, or checkpoint, which needs no config (%(default)s)',
    )
    parser.add_argument('--weights', help='checkpoint of a config')
    parser.add_argument('--out', default='outputs', help='folder of the reports (%(default)s)')
    parser.add_argument('--device', help='such as cpu or cuda; chosen where not given')
    parser.add_argument(
        '--batch-size', type=positive_int, default=1, help='windows predicted together'
    )
    parser.add_argument('--transcript', help='what is said, a file or a folder of them')
    parser.add_argument(
        '--formats',
        nargs='+',
        default=['json'],
        metavar='FORMAT',
        help='json, csv, srt, eaf, labelstudio, overlay (json)',
    )
    parser.add_argument(
        '--masks',
        action='store_true',
        help="also report which patches of picture and sound MART's masker picks",
    )
    parser.add_argument('--no-picture', action='store_true', help='draw no timeline')


def run(args: argparse.Namespace) -> int:
    """Infer; returns the exit code."""
    from mart_mm.zoo.weights import locate

    model, weights = locate(args.model, args.weights)
    from mart_mm.apis.infer import infer

    return infer(
        args.inputs,
        model,
        weights=weights,
        out_dir=args.out,
        device=args.device,
        batch_size=args.batch_size,
        transcript=args.transcript,
        formats=tuple(args.formats),
        picture=not args.no_picture,
        masks=args.masks,
    )
