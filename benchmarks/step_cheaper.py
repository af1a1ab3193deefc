"""The step of MART in one pass beside that of the supervised MBT, at full size.

FLOPs of forward and backward pass are those of a whole training configuration, as torch counts them,
without running anything; MART in its usual two passes stands beside. Time is that of steps which take
turns. The mask ratio grows over the pretraining stage: both are given at the middle of each quarter of
it, and on average over these.

    python benchmarks/step_cheaper.py
    python benchmarks/step_cheaper.py --device cuda --amp bf16 --videos 4 --segments 12
"""

from __future__ import annotations

import statistics
from collections.abc import Callable

from harness import ROOT, Figure, alternate, show
from step_mart import draw_batch
from step_parts import Setting, parser, print_lines, setting_of, training_step

import torch  # isort: skip
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from mart_mm.models.recognizers.affective import AffectiveRecognizer, TrainingStage
from mart_mm.models.recognizers.step import compile_blocks
from mart_mm.registry import MODELS
from tools.analysis.flop_count import ShapesOnly
from tools.analysis.flop_stages import RecordedMasker, find_num_segments, synthesise
from tools.analysis.flop_stages import build as build_shapes

CONFIGS = {
    'one pass': 'configs/mart/cheaper/mart_remembered_mbt_{}.py',
    'two passes': 'configs/mart/mart_mbt_{}.py',
    'supervised': 'configs/supervised/mbt_{}.py',
}
QUARTERS = (0.125, 0.375, 0.625, 0.875)
NUM_CUES = 8  # of a segment


def stage_of(model: AffectiveRecognizer, progress: float) -> TrainingStage:
    """The stage in which a step is taken, at this place in it."""
    if model.pretext is None:
        return TrainingStage('finetune', 1, 1)
    model.pretext.mask_progress = progress
    return TrainingStage('pretrain', 1, 1)


def gflop(name: str, data: str, progress: float) -> float:
    """GFLOP of a step per segment."""
    cfg = Config.fromfile(ROOT / CONFIGS[name].format(data))
    model = build_shapes(cfg).train()
    model.stage = stage_of(model, progress)
    for branch in model.pretext.branches.values() if model.pretext is not None else ():
        branch.masker = RecordedMasker(branch.masker, lambda share: None)
    num_segments = find_num_segments(cfg.train_dataloader)
    batch = synthesise(model, 1, num_segments, NUM_CUES)
    counter = FlopCounterMode(display=False)
    with sdpa_kernel(SDPBackend.MATH), counter, ShapesOnly():
        model.parse_losses(model.loss(*batch))[0].backward()
    return counter.get_total_flops() / num_segments / 1e9


def flop_figures(data: str) -> list[Figure]:
    """FLOPs of all, each against the supervised step."""
    supervised = gflop('supervised', data, 0)
    figures = [Figure('cheaper/supervised', supervised, 'GFLOP/clip', None, None, [supervised])]
    for name in ('one pass', 'two passes'):
        values = [gflop(name, data, progress) for progress in QUARTERS]
        mean = statistics.fmean(values)
        figures.append(
            Figure(f'cheaper/{name}', mean, 'GFLOP/clip', 'supervised', supervised / mean, values)
        )
        costs = [value / supervised for value in values]
        cost = statistics.fmean(costs)
        figures.append(Figure(f'cheaper/{name} FLOPs', cost, 'of supervised', None, None, costs))
    return figures


def step_of(
    name: str, data: str, videos: int, segments: int, setting: Setting
) -> Callable[[float], None]:
    """The training step at a place in the stage; the first one fills the memory."""
    torch.manual_seed(0)
    cfg = Config.fromfile(ROOT / CONFIGS[name].format(data))
    init_default_scope('mart_mm')
    if name == 'one pass':
        cfg.model.pretext.num_segments = segments
    model = MODELS.build(cfg.model).to(setting.device).train()
    if setting.compiled:
        compile_blocks(model)
    model.data_preprocessor.encode_cues = model.pretext is not None
    batch = draw_batch(model, videos, segments)
    for sample in batch['data_samples']:
        for cues in sample.cues:
            for number, cue in enumerate(cues):
                cue |= dict(word=f'word{number}', affect=[0.5] + [0.1] * 6)

    def loss() -> torch.Tensor:
        losses = model(**model.data_preprocessor(batch, True), mode='loss')
        return model.parse_losses(losses)[0]

    step = training_step(model, loss, setting)

    def at(progress: float) -> None:
        model.stage = stage_of(model, progress)
        step()

    return at


def time_figures(
    data: str, videos: int, segments: int, setting: Setting, runs: int
) -> list[Figure]:
    """Milliseconds per clip of both, at each different quarter, and the mean ratio."""
    steps = {
        name: step_of(name, data, videos, segments, setting) for name in ('supervised', 'one pass')
    }
    # the ratio grows over the first half of the stage only: the third quarter is as the fourth
    turns = {'supervised': lambda: steps['supervised'](0.0)}
    for progress in QUARTERS[:3]:
        turns[f'one pass at {progress}'] = lambda p=progress: steps['one pass'](p)
    seconds = alternate(turns, runs)
    clips = videos * segments
    figures = []
    for name, values in seconds.items():
        millis = [1e3 * value / clips for value in values]
        figures.append(
            Figure(f'cheaper/{name}', statistics.median(millis), 'ms/clip', None, None, millis)
        )
    supervised, *ours = seconds.values()
    ours.append(ours[-1])
    # of neighbours in time, which share the machine's mood
    costs = [
        statistics.fmean(values) / base for base, *values in zip(supervised, *ours, strict=True)
    ]
    cost = statistics.median(costs)
    figures.append(Figure('cheaper/one pass time', cost, 'of supervised', None, None, costs))
    return figures


def main() -> None:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument('--videos', type=int, default=1)
    options.add_argument('--segments', type=int, default=2)
    args = options.parse_args()
    data, runs = ('planted', 1) if args.quick else ('ekman6', args.runs)
    figures = print_lines(flop_figures(data))
    figures += print_lines(time_figures(data, args.videos, args.segments, setting_of(args), runs))
    show('Step, MART in one pass', figures)


if __name__ == '__main__':
    main()
