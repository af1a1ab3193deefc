"""Small files that announce what would fill a machine, and files that are no videos."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib
from pathlib import Path

import av
import numpy as np

from mart_mm.utils.media_writer import write_video

_SIDE = 320
_HUGE = 30_000


def small_video(path: Path) -> bytes:
    """A second of moving picture with sound."""
    frames = np.random.default_rng(0).integers(0, 255, (12, 48, 64, 3), dtype=np.uint8)
    sound = np.sin(np.arange(16000) / 16000 * 2 * np.pi * 440).astype(np.float32)
    write_video(path, frames, 12, audio=sound, gop=6)
    return path.read_bytes()


def bombs(video: bytes) -> dict[str, bytes]:
    """By their names: what is inside announces far more than it holds.

    Args:
        video: An mp4.
    """
    pictures = _matroska(np.zeros((2, _SIDE, _SIDE, 3), np.uint8), 'mjpeg')
    side, huge = struct.pack('>H', _SIDE), struct.pack('>H', _HUGE)
    announced = pictures.replace(b'\xb0\x82' + side, b'\xb0\x82' + huge)
    announced = announced.replace(b'\xba\x82' + side, b'\xba\x82' + huge)
    # a JPEG says its height and width behind the length and depth of this segment
    start = pictures.index(b'\xff\xc0') + 5
    jpeg_size = pictures[start : start + 4]
    at = pictures.index(b'\x44\x89\x88') + 3
    assert announced != pictures and jpeg_size == side + side
    return {
        'frames_100_million.mp4': _many_samples(video, 100_000_000),
        'announced_30000.mkv': announced,
        'jpeg_16000.mkv': pictures.replace(jpeg_size, struct.pack('>HH', 16_000, 16_000)),
        'png_65000.avi': _png_inside(65_000),
        'a_thousand_years.mkv': pictures[:at] + struct.pack('>d', 3e13) + pictures[at + 8 :],
        'png_16000.avi': _png_inside(16_000),
        'frames_2_billion.mp4': _many_samples(video, 2_000_000_000),
    }


def no_videos(video: bytes) -> dict[str, bytes]:
    """By their names: other kinds of files that call themselves videos."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, 'w', zipfile.ZIP_DEFLATED) as packed:
        packed.writestr('zeros', bytes(10_000_000))
    return {
        'page.mp4': b'<!doctype html><script>alert(1)</script>',
        'picture.webm': b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        'notes.mov': b'plain words\n' * 100,
        'list.mkv': b'#EXTM3U\n#EXTINF:9,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n',
        'zipped.mp4': archive.getvalue(),
        'packed.mp4': gzip.compress(bytes(10_000_000)),
        'packed_video.mp4': gzip.compress(video),
        'cut.mp4': video[: len(video) // 3],
        'program.avi': b'\x7fELF' + bytes(1000),
        'empty.mp4': b'',
    }


def _matroska(frames: np.ndarray, codec: str) -> bytes:
    target = io.BytesIO()
    with av.open(target, 'w', 'matroska') as container:
        stream = container.add_stream(codec, rate=1)
        stream.width, stream.height, stream.pix_fmt = _SIDE, _SIDE, 'yuvj420p'
        for frame in frames:
            picture = av.VideoFrame.from_ndarray(frame, 'rgb24')
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return target.getvalue()


def _png_inside(side: int) -> bytes:
    """The container knows nothing of the size of the picture in it."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack('>I', len(content))
            + kind
            + content
            + struct.pack('>I', zlib.crc32(kind + content))
        )

    head = struct.pack('>IIBBBBB', side, side, 8, 6, 0, 0, 0)
    picture = b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', head)
    picture += chunk(b'IDAT', zlib.compress(bytes(10_000_000))) + chunk(b'IEND', b'')
    target = io.BytesIO()
    with av.open(target, 'w', 'avi') as container:
        stream = container.add_stream('png', rate=1)
        stream.width, stream.height, stream.pix_fmt = _SIDE, _SIDE, 'rgba'
        for number in range(2):
            packet = av.Packet(picture)
            packet.stream, packet.pts, packet.dts = stream, number, number
            container.mux(packet)
    return target.getvalue()


def _many_samples(video: bytes, number: int) -> bytes:
    """The tables of the pictures list so many samples of a byte each, in one chunk."""
    content = bytearray(video)
    for box, offset, value in (
        (b'stts', 12, number),  # behind name, version and number of entries: samples of the first
        (b'stsz', 8, 1),  # all of one size: the list behind it is not read
        (b'stsz', 12, number),
        (b'stsc', 8, 1),
        (b'stsc', 16, number),
        (b'stco', 8, 1),
    ):
        at = content.index(box) - 4 + 4 + offset
        content[at : at + 4] = struct.pack('>I', value)
    return bytes(content)
