"""Opens one video in a process of its own, whose memory and time are bounded.

Run as a script by :func:`mart_mm.ui.media.check_media`, without the package around it: what opens a
file may be told by the file to take any amount of memory, or may crash.
"""

from __future__ import annotations

import json
import runpy
import sys
from contextlib import suppress

_MAX_BYTES = 2**30


def main(path: str, streams: str, options: str) -> dict:
    """What the file announces.

    Args:
        path: The file.
        streams: Path of the module with ``find_video_stream``.
        options: Of FFmpeg, as JSON.

    Returns:
        ``duration`` in seconds (0 where unknown), ``size`` (width, height) and ``num_frames`` of the
        pictures; ``size`` is None where there are none; or ``error``.
    """
    import av

    faults = (OSError, ValueError, ArithmeticError, MemoryError, EOFError, RuntimeError)
    find_video_stream = runpy.run_path(streams)['find_video_stream']
    try:
        with av.open(path, options=json.loads(options), metadata_errors='replace') as container:
            stream, seconds = find_video_stream(container), (container.duration or 0) / av.time_base
            size = None if stream is None else (stream.width, stream.height)
            return dict(duration=seconds, size=size, num_frames=stream.frames if stream else 0)
    except (av.FFmpegError, *faults) as error:
        return dict(error=getattr(error, 'strerror', None) or type(error).__name__)


def _bound_memory() -> None:
    with suppress(ImportError, ValueError, OSError):  # not every system has it
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (_MAX_BYTES, _MAX_BYTES))


if __name__ == '__main__':
    del sys.path[0]  # the folder of this script, whose modules are not to be found by name
    _bound_memory()
    print(json.dumps(main(*sys.argv[1:])))
