"""Write a model as ONNX, to run it without PyTorch.

Without --weights the weights are those of `mart-mm infer`.
"""

from __future__ import annotations

import argparse

from mart_mm.utils.arguments import positive_int

HELP = 'write a model as ONNX'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument('model', help='name of a model, config file, or checkpoint')
    parser.add_argument('--weights', help='checkpoint of a config')
    parser.add_argument('--out', help='file to write (MODEL.onnx)')
    parser.add_argument(
        '--opset', type=positive_int, default=argparse.SUPPRESS, help='version of the operators'
    )


def run(args: argparse.Namespace) -> int:
    """Export; returns the exit code."""
    from pathlib import Path

    from mart_mm.zoo.weights import locate

    model, weights = locate(args.model, args.weights)
    from mart_mm.deploy.onnx import export_onnx

    opset = {'opset': args.opset} if 'opset' in args else {}
    out = args.out or f'{Path(model).stem}.onnx'
    export_onnx(model, weights, out, **opset)
    print(out)
    return 0
