"""How long finding the concepts of SenticNet 6 in a text takes, beside plain look-ups of its words.

The text is English in its statistics: half of it words of grammar, the others drawn from the
concepts with frequencies that fall as in Zipf's law, inflected, with signs that end clauses; or a
text file of the user's. The first run also prepares lemmas and index, the others are timed.

    python benchmarks/cue_finding.py --tokens 1000000
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

_SIGNS = ('', '', '', '', '', '', ',', '.')  # one word in four ends a clause
_ENDINGS = ('', '', '', 's', 'ed', 'ing')


def draw_text(concepts: list[str], function_words: list[str], tokens: int, seed: int = 0) -> str:
    """A text of about this many words.

    Args:
        concepts: What is said, each of one to a few words.
        function_words: Words between them.
        tokens: Number of words.
        seed: Of the drawing.
    """
    rng = np.random.default_rng(seed)
    ranks = (rng.zipf(1.2, tokens) - 1) % len(concepts)
    order = rng.permutation(len(concepts))
    grammar = rng.integers(len(function_words), size=(tokens, 2))
    signs, endings = (
        rng.integers(len(_SIGNS), size=tokens),
        rng.integers(len(_ENDINGS), size=tokens),
    )
    pieces: list[str] = []
    count = 0
    for rank, words, sign, ending in zip(ranks, grammar, signs, endings, strict=True):
        if count >= tokens:
            break
        concept = concepts[order[rank]] + _ENDINGS[ending] + _SIGNS[sign]
        pieces += [*(function_words[word] for word in words), concept]
        count += 3 + concept.count(' ')
    return ' '.join(pieces)


def seconds(work: Callable[[], object]) -> float:
    """How long a call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--tokens', type=int, default=1_000_000, help='words of the text')
    parser.add_argument('--repeats', type=int, default=5, help='timed runs')
    parser.add_argument('--text', type=Path, help='UTF-8 text to use; repeated up to --tokens')
    args = parser.parse_args()

    from mart_mm.lexicon.matching import FUNCTION_WORDS, find_concepts, tokenize
    from mart_mm.lexicon.senticnet import SenticNet6Lexicon

    lexicon = SenticNet6Lexicon()
    concepts = {name: lexicon.lookup(name) for name in lexicon}
    if args.text:
        text = args.text.read_text(encoding='utf-8')
        text = '\n'.join([text] * -(-args.tokens // max(1, len(tokenize(text)))))
    else:
        text = draw_text(list(concepts), sorted(FUNCTION_WORDS), args.tokens)
    words = [token.text.lower() for token in tokenize(text)]
    millions = len(words) / 1e6

    first = seconds(lambda: find_concepts(text, lexicon))
    rows = {
        'look-ups alone': lambda: [concepts.get(word) for word in words],
        'tokenize': lambda: tokenize(text),
        'find_concepts': lambda: find_concepts(text, lexicon),
    }
    results = {
        name: statistics.median(seconds(work) for _ in range(args.repeats)) / millions
        for name, work in rows.items()
    }
    results['find_concepts, first run'] = first / millions
    found = find_concepts(text, lexicon)
    lengths = np.bincount([len(match.entry.concept.split()) for match in found])
    print(
        f'{len(words)} tokens, {len(set(words))} distinct; concepts found by their number of words:'
    )
    print('  ' + ', '.join(f'{n} x {length}' for length, n in enumerate(lengths) if n))
    print(f'{"":26}{"s per million tokens":>22}')
    for name, value in results.items():
        print(f'{name:26}{value:22.2f}')
    record = {'tokens': len(words), 'concepts': len(found), 'seconds_per_million': results}
    print(json.dumps(record))


if __name__ == '__main__':
    main()
