"""Write what is said in videos beside them, with Whisper: VIDEO.asr.json and VIDEO.asr.srt.

The pipelines read the JSON where a video has no other transcript. A run that was stopped goes on where it
stopped. Weights in a local folder are read without network.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from mart_mm.utils.arguments import positive_int

HELP = 'write what is said in videos beside them, with Whisper'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument('paths', nargs='+', help='media files, or folders of them')
    parser.add_argument('--model', required=True, help='folder of the weights, or name on the hub')
    parser.add_argument(
        '--backend', choices=('faster-whisper', 'transformers'), default='faster-whisper'
    )
    parser.add_argument('--language', help='such as en; detected per file where not given')
    parser.add_argument('--device', choices=('auto', 'cpu', 'cuda'), default='auto')
    parser.add_argument('--compute-type', default='auto', help='such as int8, float16, float32')
    parser.add_argument(
        '--jobs', type=positive_int, default=1, help='processes; each loads the model'
    )
    parser.add_argument('--overwrite', action='store_true', help='do finished files again')
    parser.add_argument('--no-speech-threshold', type=float, default=0.6)
    parser.add_argument('--logprob-threshold', type=float, default=-1.0)
    parser.add_argument('--compression-threshold', type=float, default=2.4)
    parser.add_argument(
        '--max-failed',
        type=float,
        default=0.1,
        metavar='SHARE',
        help='share of files that may fail; with more the exit code is 1 (default %(default)s)',
    )


def run(args: argparse.Namespace) -> int:
    """Transcribe; returns the exit code: 0, 1 for too many failures, 2 for wrong input."""
    os.environ.setdefault('TRANSFORMERS_VERBOSITY', 'error')  # it warns of its own calls
    if Path(args.model).expanduser().is_dir():
        os.environ['HF_HUB_OFFLINE'] = '1'
    from mart_mm.transcription.config import BackendConfig
    from mart_mm.transcription.filters import SegmentFilter
    from mart_mm.transcription.run import find_media, transcribe_files

    config = BackendConfig(
        args.model,
        args.backend,
        language=args.language,
        device=args.device,
        compute_type=args.compute_type,
        num_threads=(os.cpu_count() or 1) // args.jobs if args.jobs > 1 else 0,
    )
    segment_filter = SegmentFilter(
        no_speech_threshold=args.no_speech_threshold,
        logprob_threshold=args.logprob_threshold,
        compression_threshold=args.compression_threshold,
    )
    try:
        report = transcribe_files(
            find_media(args.paths),
            config,
            segment_filter,
            jobs=args.jobs,
            overwrite=args.overwrite,
            progress=True,
        )
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    print(report.summary())
    return int(report.failed_share > args.max_failed)
