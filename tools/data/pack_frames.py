"""Pack the frames of videos as small JPEGs, one file beside each video.

    python tools/data/pack_frames.py data/ekman6/videos --short-side 128

Training then reads them with ``backend='packed'`` in ``SampleSegments``. They take about two to seven
times the room of the videos and are read several times faster. What is packed already,
with these options and from a video that has not changed since, stays.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 1 when a video cannot be read."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument('videos', nargs='+', type=Path, help='files, or folders of them')
    parser.add_argument('--short-side', type=int, required=True, metavar='PIXELS')
    parser.add_argument('--quality', type=int, default=92, help='of the JPEGs, 1 to 100')
    parser.add_argument('--jobs', type=int, default=os.cpu_count(), help='processes')
    args = parser.parse_args(arguments)
    if args.short_side < 16 or args.jobs < 1 or not 1 <= args.quality <= 100:
        parser.error('--short-side is at least 16, --jobs at least 1, --quality from 1 to 100')

    from tqdm import tqdm

    from mart_mm.preparation.pack_frames import Packing, find_videos, is_packed
    from mart_mm.preparation.workers import run_each

    try:
        videos = find_videos(args.videos)
    except FileNotFoundError as error:
        parser.error(str(error))
    packing = Packing(args.short_side, args.quality)
    waiting = [video for video in videos if not is_packed(video, packing)]
    ended = run_each(packing, waiting, args.jobs)
    failed = 0
    for video, reason in tqdm(ended, total=len(waiting), unit='video', disable=None):
        if reason is not None:
            failed += 1
            print(f'broken: {video}: {reason}')
    print(f'{len(videos) - failed} of {len(videos)} videos are packed, {len(waiting)} were waiting')
    return 1 if failed else 0


if __name__ == '__main__':
    raise SystemExit(main())
