"""Memory and time of inference on a video of a minute and one of half an hour.

    python benchmarks/inference_memory.py CHECKPOINT FOLDER [--video FILE]

The videos are one short video, repeated without encoding it again, and lie in the folder with their
subtitles; ``make_videos.py`` writes the short one unless it is given. Each is looked at in a process of
its own, with two threads. The largest resident memory of the long one against the short one says whether
memory follows from length, seconds of the video for a second of work whether it keeps up.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import av
import harness
import pysubs2
from make_videos import KINDS, make

LENGTHS = {'1 min': 60, '30 min': 1800}
_THREADS = 2


def repeat(source: Path, target: Path, seconds: float) -> None:
    """Repeat a video, its picture and its sound, until it is at least this long.

    Args:
        source: With one stream of each; subtitles beside it are repeated too.
        target: In the container of the source.
        seconds: Length wanted.
    """
    with av.open(str(source)) as container:
        length = Fraction(container.duration, av.time_base)
    times = -(-Fraction(seconds) // length)
    temporary = target.with_suffix(f'.part{target.suffix}')
    with av.open(str(temporary), 'w') as out:
        copies: dict[int, av.stream.Stream] = {}
        for turn in range(int(times)):
            with av.open(str(source)) as container:
                streams = [container.streams.video[0], *container.streams.audio[:1]]
                for stream in streams if not copies else ():
                    copies[stream.index] = out.add_stream_from_template(stream)
                for packet in container.demux(streams):
                    if packet.dts is None:
                        continue
                    shift = round(turn * length / packet.time_base)
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    packet.stream = copies[packet.stream_index]
                    out.mux(packet)
    _repeat_subtitles(source, target, float(length), int(times))
    temporary.replace(target)


def _repeat_subtitles(source: Path, target: Path, length: float, times: int) -> None:
    path = source.with_suffix('.srt')
    if not path.exists():
        return
    lines, whole = pysubs2.load(str(path)), pysubs2.SSAFile()
    for turn in range(times):
        for line in lines:
            moved = line.copy()
            moved.shift(s=turn * length)
            whole.append(moved)
    whole.save(str(target.with_suffix('.srt')))


def look(checkpoint: str, video: str) -> dict[str, float]:
    """Memory in MiB, seconds of work, of all processors and of the video, of this process."""
    import torch

    from mart_mm.apis import MARTInferencer

    torch.set_num_threads(_THREADS)
    inferencer = MARTInferencer(checkpoint, device='cpu', show_progress=False)
    began, used = time.perf_counter(), time.process_time()
    report = inferencer.report(video)
    return dict(
        seconds=time.perf_counter() - began,
        cpu_seconds=time.process_time() - used,
        duration=report.duration,
        segments=len(report.segments),
        words=len(report.words),
        peak=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def measure(checkpoint: str, video: Path) -> dict[str, float]:
    """The same in a process of its own."""
    command = [sys.executable, __file__, checkpoint, str(video), '--one']
    environment = os.environ | {'OMP_NUM_THREADS': str(_THREADS)}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('checkpoint')
    parser.add_argument('folder', type=Path, help='of the videos')
    parser.add_argument('--video', type=Path, help='short video to repeat')
    parser.add_argument('--one', action='store_true', help='look at one video; FOLDER is the file')
    args = parser.parse_args()
    if args.one:
        print(json.dumps(look(args.checkpoint, str(args.folder))))
        return
    source = args.video or make(args.folder, kinds=KINDS[:1])[0]
    args.folder.mkdir(parents=True, exist_ok=True)
    found, figures = {}, []
    for name, seconds in LENGTHS.items():
        path = args.folder / f'{source.stem}_{seconds}s{source.suffix}'
        if not path.exists():
            repeat(source, path, seconds)
        found[name] = one = measure(args.checkpoint, path)
        print(f'{name}: {one}')
        speed = one['duration'] / one['seconds']
        figures += [
            harness.Figure(f'memory/{name}', one['peak'], 'MiB', None, None, [one['peak']]),
            harness.Figure(f'speed/{name}', speed, 'x real time', None, None, [speed]),
        ]
    short, long = (found[name]['peak'] for name in LENGTHS)
    figures.append(
        harness.Figure('memory/growth', long / short, 'x', '1 min', short / long, [long / short])
    )
    harness.show(f'inference on {source.name}, repeated', figures)


if __name__ == '__main__':
    main()
