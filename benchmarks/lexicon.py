"""The packed SenticNet 6 beside the ``senticnet`` package, and what finding concepts costs.

- load time and memory, each in a fresh process: the package's import against opening the packed
  form, both after the imports that they share;
- concepts of up to four words in a text, in pieces as long as what is said in a video, beside plain
  look-ups of its words in a dictionary and beside its tokens alone;
- memory that the lexicon adds to a first and then to a second worker process, as the sum of both
  proportional set sizes: the packed form and all that finding the concepts of the text of some
  videos keeps. The lemmas of these words are loaded before.

    python benchmarks/lexicon.py [--tokens 1000000] [--text FILE] [--quick]
"""

from __future__ import annotations

import argparse
import gc
import json
import multiprocessing
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

from harness import Figure, alternate, show
from texts import cut, draw_text

PACKAGE = 'the senticnet package'
WORDS_PER_VIDEO = 200
VIDEOS = 50  # whose text a worker searches before it is measured

#: run with the folder of the packed form; prints seconds and MiB of private memory
LOAD = """
import gc, json, sys, time
import mart_mm
from mart_mm.lexicon import senticnet as lexicons, packed
import senticnet
sys.path.insert(0, 'benchmarks')
from lexicon import own_memory
gc.collect()
before, began = own_memory(), time.perf_counter()
if sys.argv[1] == 'package':
    from senticnet import senticnet6
    kept = senticnet6.senticnet
else:
    kept = lexicons.SenticNet6Lexicon(sys.argv[2])
spent = time.perf_counter() - began
print(json.dumps([spent, own_memory('Rss') - before, len(kept)]))
"""


def own_memory(field: str = 'Rss') -> float:
    """MiB of this process by a field of ``/proc/self/smaps_rollup``: Rss, Pss, ..."""
    for line in Path('/proc/self/smaps_rollup').read_text().splitlines():
        if line.startswith(f'{field}:'):
            return int(line.split()[1]) / 1024
    raise ValueError(f'no field {field}')


def load(what: str, folder: str) -> tuple[float, float]:
    """Seconds and MiB of resident memory that loading takes in a fresh process."""
    command = [sys.executable, '-c', LOAD, what, folder]
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=root)
    spent, memory, _ = json.loads(done.stdout.splitlines()[-1])
    return spent, memory


def measure_load(folder: str, runs: int) -> list[Figure]:
    """Loading, package and packed form in turn."""
    seen: dict[str, list[tuple[float, float]]] = {'package': [], 'packed': []}
    for _ in range(runs):
        for what, values in seen.items():
            values.append(load(what, folder))
    figures = []
    for place, (name, unit) in enumerate([('load', 's'), ('load memory', 'MiB')]):
        peer, ours = ([run[place] for run in seen[what]] for what in ('package', 'packed'))
        theirs, own = statistics.median(peer), statistics.median(ours)
        figures += [
            Figure(f'lexicon/{name}, package', theirs, unit, None, None, peer),
            Figure(f'lexicon/{name}, packed', own, unit, PACKAGE, theirs / own, ours),
        ]
    return figures


def measure_search(folder: str, tokens: int, file: Path | None, runs: int) -> list[Figure]:
    """Seconds per million tokens."""
    from mart_mm.lexicon.matching import FUNCTION_WORDS, find_concepts, tokenize
    from mart_mm.lexicon.senticnet import SenticNet6Lexicon

    lexicon = SenticNet6Lexicon(folder)
    if file:
        text = file.read_text(encoding='utf-8')
        text = '\n'.join([text] * -(-tokens // max(1, len(tokenize(text)))))
    else:
        text = draw_text(list(lexicon), sorted(FUNCTION_WORDS), tokens)
    words = [token.text.lower() for token in tokenize(text)]
    dictionary, videos = dict.fromkeys(lexicon), cut(text, WORDS_PER_VIDEO)
    found = [match for video in videos for match in find_concepts(video, lexicon)]
    lengths = [len(match.entry.concept.split()) for match in found]
    counts = ', '.join(f'{lengths.count(n)} of {n} words' for n in sorted(set(lengths)))
    print(f'{len(words)} tokens, {len(set(words))} distinct; concepts: {counts}')
    del found, lengths

    def each(work: Callable[[str], object], texts: list[str]) -> Callable[[], None]:
        def call() -> None:
            for said in texts:  # results are not kept: they would burden the garbage collector
                work(said)

        return call

    def search(said: str) -> None:
        find_concepts(said, lexicon)

    work = {
        'look-ups alone': lambda: [dictionary.get(word) for word in words],
        'tokens alone': each(tokenize, videos),
        'find concepts': each(search, videos),
        'find concepts, one text': each(search, [text]),
    }
    seconds = alternate(work, runs)
    millions = len(words) / 1e6
    rates = {name: [spent / millions for spent in values] for name, values in seconds.items()}
    plain = statistics.median(rates['look-ups alone'])
    return [
        Figure(
            f'lexicon/{name}',
            statistics.median(values),
            's/Mtoken',
            None if name == 'look-ups alone' else 'look-ups alone',
            None if name == 'look-ups alone' else plain / statistics.median(values),
            values,
        )
        for name, values in rates.items()
    ]


def _worker(pipe: Connection, folder: str, texts: list[str]) -> None:
    from mart_mm.lexicon.matching import find_concepts, lemma, tokenize
    from mart_mm.lexicon.senticnet import SenticNet6Lexicon

    for text in texts:
        for token in tokenize(text):
            lemma(token.text.lower())
    kept = None
    while (asked := pipe.recv()) != 'end':
        if asked == 'search':
            kept = SenticNet6Lexicon(folder)
            for text in texts:
                find_concepts(text, kept)
        gc.collect()
        pipe.send(own_memory('Pss'))


def added_memory(folder: str, texts: list[str]) -> tuple[float, float]:
    """MiB that the lexicon adds in the first of two processes, then in the second.

    Each page counts once over both.
    """
    context, pipes, processes = multiprocessing.get_context('spawn'), [], []
    for _ in range(2):
        ours, theirs = context.Pipe()
        processes.append(context.Process(target=_worker, args=(theirs, folder, texts)))
        processes[-1].start()
        pipes.append(ours)

    def ask(what: str, asked: list[Connection]) -> float:
        for pipe in asked:
            pipe.send(what)
        return sum(pipe.recv() for pipe in asked)

    ask('measure', pipes)  # both are ready
    totals = [ask('measure', pipes)]
    for pipe in pipes:
        ask('search', [pipe])
        totals.append(ask('measure', pipes))
    for pipe, process in zip(pipes, processes, strict=True):
        pipe.send('end')
        process.join()
    return totals[1] - totals[0], totals[2] - totals[1]


def measure_workers(folder: str, runs: int) -> list[Figure]:
    """What the lexicon adds to the first worker and to the second."""
    from mart_mm.lexicon.matching import FUNCTION_WORDS
    from mart_mm.lexicon.senticnet import SenticNet6Lexicon

    concepts = list(SenticNet6Lexicon(folder))
    text = draw_text(concepts, sorted(FUNCTION_WORDS), VIDEOS * WORDS_PER_VIDEO)
    texts = cut(text, WORDS_PER_VIDEO)
    added = zip(*(added_memory(folder, texts) for _ in range(runs)), strict=True)
    return [
        Figure(f'lexicon/memory, {name} worker', statistics.median(v), 'MiB', None, None, list(v))
        for name, v in zip(('first', 'second'), added, strict=True)
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--tokens', type=int, default=1_000_000, help='words of the text')
    parser.add_argument('--text', type=Path, help='UTF-8 text to use; repeated up to --tokens')
    parser.add_argument('--runs', type=int, default=5)
    parser.add_argument('--quick', action='store_true', help='one run on few words: a try')
    args = parser.parse_args()
    runs, tokens = (1, 30_000) if args.quick else (args.runs, args.tokens)
    with tempfile.TemporaryDirectory() as folder:
        from mart_mm.lexicon.senticnet import SenticNet6Lexicon

        SenticNet6Lexicon(folder)  # packs it
        figures = measure_load(folder, runs)
        figures += measure_workers(folder, min(runs, 3))
        figures += measure_search(folder, tokens, args.text, runs)
    show('lexicon', figures)


if __name__ == '__main__':
    main()
