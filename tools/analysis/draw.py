"""Draw what a model made of videos, and how it was trained; each sub-command has a --help.

python tools/analysis/draw.py report REPORT.json           # the emotion's course, with the words
python tools/analysis/draw.py words REPORT.json            # words kept and dropped, step by step
python tools/analysis/draw.py masks CONFIG CHECKPOINT      # what is hidden as pretraining proceeds
python tools/analysis/draw.py recovery CONFIG CHECKPOINT   # the recovered distribution and its target
python tools/analysis/draw.py attention CONFIG CHECKPOINT  # where verified words look
python tools/analysis/draw.py tsne FEATURES.npz ...        # features in the plane
python tools/analysis/draw.py confusion SCORES.json        # confusion matrix
python tools/analysis/draw.py losses WORK_DIR              # loss curves

Reports are written by "mart-mm infer", features by tools/extract_features.py. The picture's format
follows from the suffix of --out.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

_ROOT = str(Path(__file__).resolve().parents[2])
if _ROOT not in sys.path:  # run as a file, only this folder is on the path
    sys.path.insert(0, _ROOT)

from mart_mm.utils.arguments import add_cfg_options  # noqa: E402

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MASKERS = ('random', 'tube', 'frame', 'attention')
_OF_VIDEO = ('masks', 'recovery', 'attention')


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest='command', required=True)

    def add(name: str, what: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=what, description=what)
        command.add_argument(
            '--out', default=f'pictures/{name}.png', help='the picture (%(default)s)'
        )
        return command

    for name, what in (
        ('report', "the emotion's course over a video, with the words"),
        ('words', 'the words of a video, kept and dropped step by step'),
    ):
        add(name, what).add_argument('report', help='emotion report, .json')
    for name, what in (
        ('masks', 'what is hidden as pretraining proceeds, beside other strategies'),
        ('recovery', 'the recovered emotion distribution against its target'),
        ('attention', 'where the words of a video look in its frames'),
    ):
        _add_video_arguments(add(name, what))
    masks, recovery, attention = (commands.choices[name] for name in _OF_VIDEO)
    masks.add_argument(
        '--progress', type=float, nargs='+', default=[0.05, 0.2, 0.35, 1.0],
        help='places in the pretraining stage, 0 to 1',
    )  # fmt: skip
    masks.add_argument(
        '--others', nargs='*', choices=_MASKERS, default=_MASKERS, help='other strategies (all)'
    )
    masks.add_argument('--seed', type=int, default=0, help='of random strategies (%(default)s)')
    recovery.add_argument('--progress', type=float, default=1.0, help='in the stage (%(default)s)')
    attention.add_argument(
        '--level', type=int, choices=range(4), default=3, help='words that passed it (%(default)s)'
    )
    attention.add_argument('--max-words', type=int, default=8, help='drawn (%(default)s)')

    tsne = add('tsne', 't-SNE of features, a panel per file and modality')
    tsne.add_argument('features', nargs='+', help='.npz of tools/extract_features.py')
    tsne.add_argument('--modality', nargs='+', default=['visual', 'audio'], help='(visual audio)')
    tsne.add_argument('--perplexity', type=float, help='(30, or a third of the videos if fewer)')
    tsne.add_argument('--seed', type=int, default=0, help='(%(default)s)')
    confusion = add('confusion', 'confusion matrix of dumped scores')
    confusion.add_argument('scores', help='.json of the evaluator, see its option dump')
    confusion.add_argument('--title', default='', help='above the picture')
    losses = add('losses', 'loss curves of a run')
    losses.add_argument('run', help='work directory, or scalars.json')
    losses.add_argument('--switch-epoch', type=int, help="last of pretraining (the run's config)")
    return parser


def _add_video_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument('config', help='config file below configs/mart')
    command.add_argument('checkpoint', help='its weights, e.g. pretrained.pth of a run')
    command.add_argument('--split', choices=('train', 'val', 'test'), default='test')
    command.add_argument('--video', help='name of the video (the first that can be read)')
    command.add_argument('--truth', help='truth.json of a planted data set: draws what is planted')
    add_cfg_options(command)


def draw(args: argparse.Namespace) -> Figure:
    """The picture that the command line asks for."""
    import mart_mm  # noqa: F401  first: it repairs what is imported below

    if args.command in _OF_VIDEO:
        return _draw_video(args)
    if args.command in ('report', 'words'):
        from mart_mm.structures.emotion_report import EmotionReport
        from mart_mm.visualization.report import draw_report
        from mart_mm.visualization.verification import draw_verification

        report = EmotionReport.load(args.report)
        return draw_report(report) if args.command == 'report' else draw_verification(report)
    from mart_mm.apis import file_pictures

    if args.command == 'tsne':
        return file_pictures.tsne_picture(
            args.features, modalities=args.modality, perplexity=args.perplexity, seed=args.seed
        )
    if args.command == 'confusion':
        return file_pictures.confusion_picture(args.scores, args.title)
    return file_pictures.losses_picture(args.run, args.switch_epoch)


def _draw_video(args: argparse.Namespace) -> Figure:
    from mmengine.config import Config

    from mart_mm.apis import pictures, video_batch
    from mart_mm.apis.browse import load_recognizer

    cfg = Config.fromfile(args.config)
    cfg.merge_from_dict(args.cfg_options)
    truth = video_batch.read_truth(args.truth) if args.truth else None
    video = video_batch.load_video(cfg, split=args.split, video_id=args.video, truth=truth)
    recognizer = load_recognizer(cfg, args.checkpoint)
    if args.command == 'masks':
        return pictures.mask_picture(
            recognizer, video, progress=args.progress, others=args.others, seed=args.seed
        )
    if args.command == 'recovery':
        return pictures.recovery_picture(recognizer, video, progress=args.progress)
    return pictures.attention_picture(recognizer, video, level=args.level, max_words=args.max_words)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0, or 2 for wrong input."""
    args = build_parser().parse_args(arguments)
    try:
        figure = draw(args)
    except (OSError, LookupError, RuntimeError, TypeError, ValueError) as error:
        print(error.args[0] if isinstance(error, KeyError) else error, file=sys.stderr)
        return 2
    from mart_mm.visualization.style import save_figure

    print(save_figure(figure, args.out))
    return 0


if __name__ == '__main__':
    sys.exit(main())
