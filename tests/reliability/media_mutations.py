"""Small films in six containers, and ways to spoil them; known by name to the processes that read them."""

from __future__ import annotations

import re
import resource
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

FPS, RATE, SECONDS, SIZE = 12, 16000, 2, (64, 48)
#: suffix -> encoders of picture, sound and words
CODECS = dict(
    mp4=('libx264', 'aac', 'mov_text'),
    mkv=('libx264', 'aac', 'subrip'),
    webm=('libvpx', 'libopus', 'webvtt'),
    avi=('mpeg4', 'libmp3lame', None),
    flv=('flv', 'aac', None),
    ts=('mpeg2video', 'mp2', None),
)
_WORDS = b'I am so happy and glad'


def write_film(path: Path, seed: int = 0) -> Path:
    """Two seconds of moving blocks, a tone and a line of words where the container takes one."""
    picture_codec, sound_codec, words_codec = CODECS[path.suffix[1:]]
    rng = np.random.default_rng(seed)
    with av.open(str(path), 'w') as container:
        picture = container.add_stream(
            picture_codec, rate=FPS if picture_codec != 'mpeg2video' else 25
        )
        picture.width, picture.height, picture.pix_fmt = *SIZE, 'yuv420p'
        picture.gop_size, picture.thread_count = 6, 1
        sound_rate = 48000 if sound_codec in ('libopus', 'mp2') else 44100
        sound = container.add_stream(sound_codec, rate=sound_rate, layout='stereo')
        words = container.add_stream(words_codec) if words_codec else None
        if words is not None:
            words.codec_context.time_base = Fraction(1, 1000)
            words.codec_context.subtitle_header = b'[Script Info]\nScriptType: v4.00+\n'
        blocks = rng.integers(0, 256, (FPS * SECONDS, 6, 8, 3), dtype=np.uint8)
        for number, block in enumerate(blocks.repeat(8, 1).repeat(8, 2)):
            frame = av.VideoFrame.from_ndarray(block, format='rgb24')
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(picture.encode(frame))
        container.mux(picture.encode())
        _write_tone(container, sound, sound_rate)
        if words is not None:
            content = (
                len(_WORDS).to_bytes(2, 'big') + _WORDS if words_codec == 'mov_text' else _WORDS
            )
            packet = av.Packet(content)
            packet.stream, packet.time_base = words, Fraction(1, 1000)
            packet.pts = packet.dts = 100
            packet.duration = 1500
            container.mux(packet)
    return path


def _write_tone(container: av.container.OutputContainer, stream: av.AudioStream, rate: int) -> None:
    tone = (0.2 * np.sin(np.arange(rate * SECONDS) / 20)).astype(np.float32)
    context = stream.codec_context
    resampler = av.AudioResampler(context.format.name, 'stereo', rate, frame_size=1024)
    for start in range(0, len(tone), 1024):
        piece = np.stack([tone[start : start + 1024]] * 2)
        frame = av.AudioFrame.from_ndarray(piece, format='fltp', layout='stereo')
        frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        for part in resampler.resample(frame):
            container.mux(stream.encode(part))
    container.mux(stream.encode())


def flip_bits(data: bytearray, rng: np.random.Generator, others: list[bytes]) -> bytearray:
    """Some bits anywhere."""
    for place in rng.integers(len(data), size=2 ** int(rng.integers(8))):
        data[place] ^= 1 << int(rng.integers(8))
    return data


def flip_bits_of_header(
    data: bytearray, rng: np.random.Generator, others: list[bytes]
) -> bytearray:
    """Some bits of the first kilobyte, or of the last where mp4 has its index."""
    reach = min(1024, len(data))
    shift = int(rng.integers(2)) * (len(data) - reach)
    for place in rng.integers(reach, size=2 ** int(rng.integers(6))):
        data[place + shift] ^= 1 << int(rng.integers(8))
    return data


def noise_burst(data: bytearray, rng: np.random.Generator, others: list[bytes]) -> bytearray:
    """A stretch of noise."""
    start, length = int(rng.integers(len(data))), int(rng.integers(1, 512))
    stop = min(len(data), start + length)
    data[start:stop] = rng.bytes(stop - start)
    return data


def truncate(data: bytearray, rng: np.random.Generator, others: list[bytes]) -> bytearray:
    """The beginning alone."""
    return data[: int(rng.integers(len(data)))]


def cut_out(data: bytearray, rng: np.random.Generator, others: list[bytes]) -> bytearray:
    """A piece is missing."""
    start = int(rng.integers(len(data)))
    return data[:start] + data[start + int(rng.integers(1, 2000)) :]


def zero_block(data: bytearray, rng: np.random.Generator, others: list[bytes]) -> bytearray:
    """A disk's block is empty."""
    start = int(rng.integers(len(data))) // 512 * 512
    stop = min(len(data), start + 512 * int(rng.integers(1, 9)))
    data[start:stop] = bytes(stop - start)
    return data


def swap_header(data: bytearray, rng: np.random.Generator, others: list[bytes]) -> bytearray:
    """The beginning of another film, of another container as a rule."""
    other = others[int(rng.integers(len(others)))]
    length = int(rng.integers(4, 2048))
    return bytearray(other[:length]) + data[length:]


def concatenate(data: bytearray, rng: np.random.Generator, others: list[bytes]) -> bytearray:
    """Another film behind this one, or before it."""
    other = bytearray(others[int(rng.integers(len(others)))])
    return data + other if rng.integers(2) else other + data


def edit_sizes(data: bytearray, rng: np.random.Generator, others: list[bytes]) -> bytearray:
    """Sizes of mp4's atoms, or numbers where there are no atoms."""
    atoms = [m.start() - 4 for m in re.finditer(rb'(?<=[\0-\xff]{4})[a-z]{3}[a-z0-9 ]', data)]
    for _ in range(int(rng.integers(1, 4))):
        place = atoms[int(rng.integers(len(atoms)))] if atoms else int(rng.integers(len(data) - 4))
        data[place : place + 4] = int(rng.choice(_NUMBERS)).to_bytes(4, 'big')
    return data


def extreme_numbers(data: bytearray, rng: np.random.Generator, others: list[bytes]) -> bytearray:
    """Numbers of the header, or of the index at the end, are the least or largest there are."""
    reach = min(1536, len(data) - 8)
    shift = int(rng.integers(2)) * (len(data) - reach - 8)
    for place in rng.integers(reach, size=int(rng.integers(1, 6))) + shift:
        width, order = int(rng.choice([2, 4, 8])), str(rng.choice(['big', 'little']))
        number = int(rng.choice(_NUMBERS)) % 256**width
        data[place : place + width] = number.to_bytes(width, order)
    return data


def only_header(data: bytearray, rng: np.random.Generator, others: list[bytes]) -> bytearray:
    """What lies before the pictures."""
    return data[: int(rng.integers(0, 256))]


_NUMBERS = (0, 1, 7, 8, 255, 2**15, 2**16 - 1, 100_000, 2**30, 2**31 - 1, 2**31, 2**32 - 1)
MUTATIONS: tuple[Callable, ...] = (
    flip_bits,
    flip_bits_of_header,
    noise_burst,
    truncate,
    cut_out,
    zero_block,
    swap_header,
    concatenate,
    edit_sizes,
    extreme_numbers,
    only_header,
)


def write_mutated(folder: Path, count: int, seed: int = 0) -> list[Path]:
    """Spoilt films, all containers and ways in turn; some also get the suffix of another container.

    Args:
        folder: Where they are written; the whole films lie in ``whole`` of it.
        count: How many.
        seed: Of everything.
    """
    whole = folder / 'whole'
    whole.mkdir(parents=True)
    films = {suffix: write_film(whole / f'film.{suffix}').read_bytes() for suffix in CODECS}
    paths = []
    for number in range(count):
        rng = np.random.default_rng((seed, number))
        mutation = MUTATIONS[number % len(MUTATIONS)]
        suffix = list(films)[number % len(films)]
        others = [film for name, film in films.items() if name != suffix]
        content = mutation(bytearray(films[suffix]), rng, others)
        if rng.random() < 0.1:
            suffix = str(rng.choice(list(films)))
        path = folder / f'{number:04d}_{mutation.__name__}.{suffix}'
        path.write_bytes(content)
        paths.append(path)
    return paths


def limit_memory(more: int = 2 << 30) -> None:
    """Let this process take so many bytes more than it has, once."""
    if resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY:
        pages = int(Path('/proc/self/statm').read_text().split()[0])
        limit = pages * resource.getpagesize() + more
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def probe_in_little_memory(target: object, beat: Callable[[], None]) -> object:
    """What the scan does with a file."""
    from mart_mm.apis.scan.probe import probe

    limit_memory()
    return probe(target, beat)
