"""How cost grows: measured exponents beside the expected ones.

An exponent is the slope of the least-squares line through the logarithms of size and median time.

- a MART training step in segments, in frames per segment and in pixels per frame; expected is the
  exponent of the step's FLOPs as torch counts them over the same sizes;
- finding concepts in words: 1;
- evaluation (prediction of video after video, and the metric) in videos: 1.

An exponent more than 10 % above the expected one is flagged, and the command fails.

    python benchmarks/growth.py [--quick]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping
from math import log
from statistics import linear_regression, median
from typing import NamedTuple

from harness import ROOT, Figure, alternate, show
from synthetic import Config, batch, build, step_flops, torch, train_step
from texts import cut, draw_text

TOLERANCE = 0.10
#: wide enough for matrix products to outweigh what is done once per step
SIZES = dict(embed_dims=256, depth=4, num_heads=4)
BASE = dict(segments=4, frames=8, side=64)


class Growth(NamedTuple):
    """Cost over sizes.

    Attributes:
        name: What grows with what.
        sizes: From small to large.
        seconds: Counted runs at each size.
        expected: Exponent.
    """

    name: str
    sizes: list[float]
    seconds: list[list[float]]
    expected: float

    @property
    def exponent(self) -> float:
        """Measured."""
        return exponent(self.sizes, [median(runs) for runs in self.seconds])

    @property
    def is_too_high(self) -> bool:
        """Whether it is more than :data:`TOLERANCE` above the expected one."""
        return self.exponent > (1 + TOLERANCE) * self.expected

    def figure(self) -> Figure:
        """Its exponents; the runs are the medians at each size, in seconds."""
        peer = f'expected {self.expected:.2f}' + (', TOO HIGH' if self.is_too_high else '')
        medians = [median(runs) for runs in self.seconds]
        ratio = self.expected / self.exponent
        return Figure(f'growth/{self.name}', self.exponent, 'exponent', peer, ratio, medians)


def exponent(sizes: list[float], costs: list[float]) -> float:
    """Slope of the line through (log size, log cost)."""
    return linear_regression([log(size) for size in sizes], [log(cost) for cost in costs]).slope


def grow(
    name: str,
    work: Mapping[float, Callable[[], object]],
    runs: int,
    expected: float | Callable[[], float],
) -> Growth:
    """Time the work of each size in turn."""
    seconds = alternate({str(size): call for size, call in work.items()}, runs)
    given = expected() if callable(expected) else expected
    return Growth(name, list(work), list(seconds.values()), given)


def mart_step(segments: int, frames: int, side: int) -> Callable[[], None]:
    """A training step of MART on one video."""
    cfg = Config.fromfile(ROOT / 'configs/mart/mart_mbt_ekman6.py')
    visual = dict(SIZES, num_frames=frames, img_size=side)
    backbone = dict(visual=visual, audio=dict(SIZES), fusion_layer=3)
    cfg.merge_from_dict(dict(model=dict(backbone=backbone)))
    model = build(cfg, 'pretrain')
    return train_step(model, batch(model, 1, segments))


def step_growth(quick: bool) -> list[Growth]:
    """A step in segments, frames and pixels."""
    runs = 1 if quick else 5
    cases = {
        'step in segments': ('segments', [4, 8] if quick else [4, 8, 16, 24], lambda n: n),
        'step in frames': ('frames', [8, 16] if quick else [8, 16, 32, 48], lambda n: n),
        'step in pixels': ('side', [64, 96] if quick else [64, 96, 128, 160], lambda n: n * n),
    }
    grown = []
    for name, (what, values, size) in cases.items():
        work = {float(size(value)): mart_step(**BASE | {what: value}) for value in values}

        def expected(work: Mapping[float, Callable[[], None]] = work) -> float:
            return exponent(list(work), [step_flops(step) for step in work.values()])

        grown.append(grow(name, work, runs, expected))
    return grown


def lexicon_growth(quick: bool) -> Growth:
    """Finding concepts in texts as long as what is said in a video."""
    from mart_mm.lexicon.matching import FUNCTION_WORDS, find_concepts
    from mart_mm.lexicon.senticnet import SenticNet6Lexicon

    with tempfile.TemporaryDirectory() as folder:
        lexicon = SenticNet6Lexicon(folder)
        concepts, grammar = list(lexicon), sorted(FUNCTION_WORDS)
        counts = [10_000, 20_000] if quick else [50_000, 100_000, 200_000, 400_000]
        texts = cut(draw_text(concepts, grammar, counts[-1]), 200)

        def search(count: int) -> Callable[[], None]:
            def call() -> None:
                for text in texts[: count // 200]:
                    find_concepts(text, lexicon)

            return call

        work = {float(count): search(count) for count in counts}
        return grow('lexicon in words', work, 1 if quick else 5, 1.0)


def evaluation_growth(quick: bool) -> Growth:
    """Prediction of each video, then the metric over all of them."""
    from mmengine.logging import MMLogger

    from mart_mm.evaluation.emotion_metric import EmotionMetric

    MMLogger.get_current_instance().setLevel('WARNING')  # the metric reports each time
    cfg = Config.fromfile(ROOT / 'configs/mart/mart_mbt_planted.py')
    model = build(cfg, 'finetune').eval()
    polarity = cfg.model.head.polarity
    inputs, samples = batch(model, 1, 6)

    @torch.no_grad()
    def evaluate(videos: int) -> None:
        metric = EmotionMetric(polarity=polarity)
        metric.dataset_meta = dict(classes=[str(n) for n in range(len(polarity))])
        for number in range(videos):
            (sample,) = model.predict(inputs, samples)
            record = sample.to_dict() | dict(video_id=str(number))
            metric.process({}, [record])
        metric.evaluate(videos)

    def of(videos: int) -> Callable[[], None]:
        return lambda: evaluate(videos)

    counts = [8, 16] if quick else [16, 32, 64, 128]
    work = {float(count): of(count) for count in counts}
    return grow('evaluation in videos', work, 1 if quick else 5, 1.0)


def measure(quick: bool) -> list[Growth]:
    """All of them."""
    return [*step_growth(quick), lexicon_growth(quick), evaluation_growth(quick)]


def main() -> int:
    """Measure and print; 1 when an exponent is too high."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--quick', action='store_true', help='one run at two small sizes: a try')
    args = parser.parse_args()
    grown = measure(args.quick)
    show('growth', [growth.figure() for growth in grown])
    return 1 if any(growth.is_too_high for growth in grown) and not args.quick else 0


if __name__ == '__main__':
    sys.exit(main())
