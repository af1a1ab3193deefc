"""Serve a page on which videos are analysed in the browser.

Only this machine is listened to unless --host says otherwise. Without names the page has the model that
`mart-mm demo` trains.
"""

from __future__ import annotations

import argparse

from mart_mm.utils.arguments import positive_int
from mart_mm_cli.commands.infer import DEFAULT_MODEL

HELP = 'serve a page on which videos are analysed in the browser'
_MB = 2**20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument(
        'models',
        nargs='*',
        default=[DEFAULT_MODEL],
        metavar='MODEL',
        help='names of models, or checkpoints',
    )
    parser.add_argument('--host', default='127.0.0.1', help='address (%(default)s)')
    parser.add_argument('--port', type=int, default=8765, help='(%(default)s)')
    parser.add_argument(
        '--max-upload-mb', type=positive_int, default=2048, help='largest upload (%(default)s)'
    )
    parser.add_argument(
        '--max-disk-mb',
        type=positive_int,
        default=8192,
        help='all uploads and exports together; old ones make room (%(default)s)',
    )
    parser.add_argument('--folder', help='videos in it can be chosen on the page')
    parser.add_argument(
        '--allowed-hosts',
        nargs='+',
        default=(),
        metavar='NAME',
        help='names or addresses that other machines open the page under, needed with 0.0.0.0',
    )


def run(args: argparse.Namespace) -> int:
    """Serve until it is stopped; returns the exit code."""
    from mart_mm.zoo.weights import locate

    for model in args.models:  # say what is missing before the page is there
        locate(model)
    from mart_mm.ui import serve
    from mart_mm.ui.limits import Limits

    limits = Limits(
        max_upload_bytes=args.max_upload_mb * _MB,
        max_disk_bytes=max(args.max_disk_mb, args.max_upload_mb) * _MB,
    )
    serve(
        args.models,
        host=args.host,
        port=args.port,
        folder=args.folder,
        limits=limits,
        allowed_hosts=args.allowed_hosts,
    )
    return 0
