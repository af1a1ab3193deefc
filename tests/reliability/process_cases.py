"""Run by test_processes.py: imports everything once, then forks the processes of each case.

A case is a line of JSON on standard input: ``case`` (a function of this file), ``arguments``, ``port``,
``outputs`` (a file for what each process prints), ``awaited`` (the processes that must end), ``seconds``,
after which it is given up, and ``answer``, a file for the exit codes; None for a process that had to be
killed. Cases run side by side.
"""

from __future__ import annotations

import importlib.util
import json
import multiprocessing
import os
import select
import signal
import time
from pathlib import Path

import matplotlib.pyplot  # noqa: F401  this, torch._dynamo and the parts would be imported in each case
import mmengine.runner.runner
import torch
import torch._dynamo
from mmengine.config import Config
from mmengine.dist import barrier, get_dist_info
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.registry import Registry
from mmengine.runner import Runner
from torch import Tensor

from mart_mm import registry
from mart_mm.apis import run as runs
from mart_mm.datasets.ekman6 import Ekman6
from mart_mm.engine.distributed import AffectiveDistributedDataParallel, init_cpu_processes
from mart_mm.errors import MediaError
from mart_mm.models.recognizers.affective import TrainingStage
from mart_mm.models.recognizers.step import take_step
from mart_mm.registry import DATASETS, HOOKS, MODELS, TRANSFORMS
from mart_mm.utils.atomic import write_text

#: a value that no sentiment has
NO_POLARITY = 9
TEXT = dict(type='FusionBert', embed_dims=16, depth=2, num_heads=2, fusion_layer=1, vocab_size=100)
PRETEXTS = dict(
    mart=lambda: fixtures.tiny_pretext(verify_level=1),
    moco=lambda: dict(type='MoCoV3', hidden_dims=16, dims=8),
    tcl=lambda: dict(type='TCL', text=TEXT | dict(dropout=0.0), dims=8, queue_size=6),
)
for part in vars(registry).values():
    if isinstance(part, Registry):
        part.import_from_location()
# that a run lists compilers and versions takes seconds
mmengine.runner.runner.collect_env = dict

spec = importlib.util.spec_from_file_location('fixtures', Path(__file__).parents[1] / 'conftest.py')
fixtures = importlib.util.module_from_spec(spec)
spec.loader.exec_module(fixtures)


@HOOKS.register_module()
class FaultHook(Hook):
    """Something happens to one process around one step.

    Args:
        kind: What.
        rank: To which process.
        step: Which step, from 0.
    """

    def __init__(self, kind: str, rank: int, step: int) -> None:
        self.kind, self.rank, self.step = kind, rank, step

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None
    ) -> None:
        if (runner.rank, runner.iter) == (self.rank, self.step):
            getattr(self, self.kind)(data_batch)

    def raises(self, data_batch: dict) -> None:
        raise KeyError('planted')

    def runs_out_of_memory(self, data_batch: dict) -> None:
        raise MemoryError('planted')

    def is_interrupted(self, data_batch: dict) -> None:
        signal.raise_signal(signal.SIGINT)

    def gets_nan(self, data_batch: dict) -> None:
        data_batch['inputs'].fill_(float('nan'))

    def is_killed(self, data_batch: dict) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def is_stopped(self, data_batch: dict) -> None:
        os.kill(os.getpid(), signal.SIGSTOP)

    def hangs(self, data_batch: dict) -> None:
        time.sleep(3600)


@MODELS.register_module()
class Line(BaseModel):
    """A straight line, trained as the recogniser is."""

    def __init__(self) -> None:
        super().__init__()
        self.line = torch.nn.Linear(3, 1)

    def forward(self, inputs: Tensor, mode: str = 'tensor') -> dict[str, Tensor]:
        return dict(loss=self.line(inputs).square().mean())

    def train_step(self, data: dict, optim_wrapper: object) -> dict[str, Tensor]:
        with optim_wrapper.optim_context(self):
            losses = self(**self.data_preprocessor(data, True), mode='loss')
        return take_step(*self.parse_losses(losses), optim_wrapper)


@DATASETS.register_module()
class Points(torch.utils.data.Dataset):
    """Eight points; to read one of them takes an hour when it is so wanted.

    Args:
        slow: Its index.
    """

    def __init__(self, slow: int | None = None) -> None:
        self.slow = slow

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        if index == self.slow:
            time.sleep(3600)
        return dict(inputs=torch.randn(3, generator=torch.Generator().manual_seed(index)))


@TRANSFORMS.register_module()
class ReadClip:
    """What a video of :class:`Clips` holds; a broken one says so."""

    def __call__(self, record: dict) -> dict:
        if record['is_broken']:
            raise MediaError(record['video_path'], 'planted')
        batch = fixtures.make_batch(1, seed=record['gt_emotion'])
        (sample,) = batch['data_samples']
        sample.set_metainfo(dict(video_id=record['video_id']))
        sample.gt_emotion = record['gt_emotion']
        return dict(inputs=take(batch['inputs'], 0), data_samples=sample)


@DATASETS.register_module()
class Clips(Ekman6):
    """Drawn videos.

    Args:
        count: Of them.
        broken: Indices of those that cannot be read.
        kwargs: Of its base.
    """

    def __init__(self, *, count: int, broken: list[int], **kwargs: object) -> None:
        self.count, self.broken = count, broken
        super().__init__(**kwargs)

    def load_data_list(self) -> list[dict]:
        return [
            dict(
                video_id=f'v{index}',
                video_path=f'v{index}.mp4',
                gt_emotion=index % 6,
                is_broken=index in self.broken,
            )
            for index in range(self.count)
        ]


def take(value: object, rows: slice | int) -> object:
    """Rows of a nested batch."""
    if isinstance(value, dict):
        return {key: take(item, rows) for key, item in value.items()}
    return value[rows]


def line(arguments: dict) -> None:
    """Train :class:`Line` for two epochs of two steps, saved after each; merges ``arguments``."""
    cfg = Config(
        dict(
            default_scope='mart_mm',
            launcher='pytorch',
            model=dict(type='Line'),
            model_wrapper_cfg=dict(type='mart_mm.AffectiveDistributedDataParallel'),
            train_dataloader=dict(
                batch_size=2,
                num_workers=0,
                sampler=dict(type='ResumableSampler', shuffle=False),
                collate_fn=dict(type='default_collate'),
                dataset=dict(type='Points'),
            ),
            train_cfg=dict(type='ResumableTrainLoop', max_epochs=2),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
            default_hooks=dict(
                checkpoint=dict(
                    type='CheckpointHook', interval=1, by_epoch=False, max_keep_ckpts=-1
                )
            ),
            custom_hooks=[dict(type='PlainCheckpointHook')],
            env_cfg=dict(dist_cfg=dict(timeout=60)),
            randomness=dict(seed=0),
        )
    )
    cfg.merge_from_dict(arguments)
    runs.train(cfg)


def clips_config(folder: str, test: int, broken: list[int], share: float) -> Config:
    """MART on :class:`Clips`: seven to train with, unevenly shared, one epoch of each stage."""

    def loader(**dataset: object) -> dict:
        return dict(
            batch_size=2,
            num_workers=0,
            sampler=dict(type='ResumableSampler', shuffle=False),
            collate_fn=dict(type='mart_mm.affective_collate'),
            dataset=dict(type='Clips', data_root='', pipeline=[dict(type='ReadClip')], **dataset),
        )

    cfg = Config.fromfile('configs/_base_/default_runtime.py')
    cfg.merge_from_dict(
        dict(
            launcher='pytorch',
            work_dir=folder,
            model=fixtures.recognizer_config(fixtures.tiny_pretext()),
            train_dataloader=loader(count=7, broken=broken),
            train_cfg=dict(type='ResumableTrainLoop', max_epochs=2, val_begin=3),
            val_dataloader=loader(count=test, broken=[], test_mode=True),
            val_cfg=dict(),
            val_evaluator=dict(type='EmotionMetric'),
            test_dataloader=loader(count=test, broken=broken, test_mode=True),
            test_cfg=dict(),
            test_evaluator=dict(type='EmotionMetric', dump=f'{folder}/scores'),
            optim_wrapper=dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=1e-3)),
            custom_hooks=[
                dict(type='StageSwitchHook', pretrain_epochs=1),
                dict(type='ReproducibilityHook'),
                dict(type='FailureReportHook', max_failed_share=share),
                dict(type='PlainCheckpointHook'),
            ],
        )
    )
    return cfg


def train_clips(arguments: dict) -> None:
    """Train."""
    runs.train(clips_config(**arguments))


def test_clips(arguments: dict) -> None:
    """Evaluate the weights that the seed gives."""
    runs.evaluate(clips_config(**arguments))


def uneven_batch(what: str, videos: int = 4) -> dict:
    """A batch in whose second half something is missing."""
    half = slice(videos // 2, None)
    audio = [what != 'no sound' or row < videos // 2 for row in range(videos)]
    batch = fixtures.make_batch(videos, audio=tuple(audio))
    other = fixtures.make_batch(videos, seed=100)['inputs']
    batch['inputs']['second'] = {key: other[key] for key in ('imgs', 'audios')}
    cues, samples = batch['inputs']['cues'], batch['data_samples']
    if what == 'no cue':
        cues['valid'][half] = False
        batch['inputs']['present']['text'][half] = False
        for sample in samples[half]:
            sample.texts, sample.cues = [''] * len(sample.texts), [[] for _ in sample.cues]
    if (
        what == 'no word at any level'
    ):  # the model has no opinion: its sentiment is not known before
        cues['polarity'][half] = NO_POLARITY
    if what == 'one class':
        for sample in samples[half]:
            sample.gt_emotion = 3
    return batch


def take_gradients(pretext: str, stage: str, what: str, options: dict) -> dict:
    """Losses and gradients of two steps on this process's part of a batch; weights stay."""
    rank, world_size = get_dist_info()
    torch.manual_seed(0)
    model = fixtures.build_recognizer(PRETEXTS[pretext]())
    model.stage = TrainingStage(stage, 1, 1)
    batch = uneven_batch(what)
    share = len(batch['data_samples']) // world_size
    rows = slice(rank * share, (rank + 1) * share)
    part = dict(inputs=take(batch['inputs'], rows), data_samples=batch['data_samples'][rows])
    wrapped = AffectiveDistributedDataParallel(model, **options).for_stage(stage)
    for _ in range(2):
        model.zero_grad()
        losses = wrapped(**model.data_preprocessor(part, True), mode='loss')
        total, log_vars = model.parse_losses(losses)
        total.backward()
    gradients = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    return dict(losses={k: float(v) for k, v in log_vars.items()}, gradients=gradients)


def gradients(arguments: dict) -> None:
    """Save the gradients of several batches, of each process."""
    init_cpu_processes('pytorch', 60)
    rank, world_size = get_dist_info()
    options = arguments['options']
    found = {'/'.join(key): take_gradients(*key, options) for key in arguments['batches']}
    torch.save(found, Path(arguments['folder']) / f'{rank}_of_{world_size}.pth')
    barrier()


def join(rank: int, world_size: int, port: int, output: str) -> None:
    """Be process ``rank`` of a launcher; what is printed goes to a file."""
    file = os.open(output, os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.environ |= dict(
        RANK=str(rank),
        LOCAL_RANK=str(rank),
        WORLD_SIZE=str(world_size),
        LOCAL_WORLD_SIZE=str(os.cpu_count()),  # of which each one gets its share: one thread
        MASTER_ADDR='127.0.0.1',
        MASTER_PORT=str(port),
    )
    torch.set_num_threads(1)


def be(rank: int, request: dict) -> None:
    """Process ``rank`` of a case."""
    join(rank, len(request['outputs']), request['port'], request['outputs'][rank])
    globals()[request['case']](request['arguments'])


class Crew:
    """The processes of a case."""

    def __init__(self, request: dict) -> None:
        self.answer = Path(request['answer'])
        self.deadline = time.monotonic() + request['seconds']
        fork = multiprocessing.get_context('fork').Process
        self.members = [
            fork(target=be, args=(rank, request)) for rank in range(len(request['outputs']))
        ]
        for member in self.members:
            member.start()
        self.awaited = [self.members[rank] for rank in request['awaited']]

    def is_through(self) -> bool:
        """Whether it has ended, or had to; then the exit codes are told."""
        in_time = time.monotonic() < self.deadline
        if in_time and any(member.exitcode is None for member in self.awaited):
            return False
        codes = [member.exitcode for member in self.members]
        for member in self.members:
            member.kill()
            member.join()
        write_text(self.answer, json.dumps(codes))
        return True


def serve() -> None:
    """Run cases until the input ends."""
    lines = os.fdopen(0, 'rb', buffering=0)
    crews: list[Crew] = []
    while True:
        if select.select([lines], [], [], 0.02)[0]:
            line = lines.readline()
            if not line:
                break
            crews.append(Crew(json.loads(line)))
        crews = [crew for crew in crews if not crew.is_through()]
    for crew in crews:
        crew.deadline = 0.0
        crew.is_through()


if __name__ == '__main__':
    serve()
    os._exit(0)  # to take down what was imported takes seconds
