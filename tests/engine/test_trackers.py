"""Experiment trackers are lines of a config; what they show is what the log has."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from mart_mm.apis.run import load_config, train
from mart_mm.apis.shrink import shrink
from mart_mm.planted.make import make
from mart_mm.utils.arguments import add_common_arguments

ROOT = Path(__file__).resolve().parents[2]
CONFIG = """
_base_ = ['{base}']
visualizer = dict(vis_backends=[dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')])
train_dataloader = dict(dataset=dict(data_root='{data}'))
val_dataloader = dict(dataset=dict(data_root='{data}'))
test_dataloader = dict(dataset=dict(data_root='{data}'))
"""


def test_tensorboard_has_losses_and_metrics_of_the_log(tmp_path: Path) -> None:
    pytest.importorskip('tensorboard', reason='tensorboard is not installed (docs/tracking.md)')
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    data = make(tmp_path / 'data', train=4, test=2, segments=3, blemishes=False)
    path = tmp_path / 'mine.py'
    base = ROOT / 'configs' / 'mart' / 'mart_mbt_planted.py'
    path.write_text(CONFIG.format(base=base, data=data))
    parser = argparse.ArgumentParser()
    add_common_arguments(parser)
    options = ['--work-dir', str(tmp_path / 'work'), '--cfg-options', 'cache=None']
    cfg = load_config(parser.parse_args([str(path), *options]))
    shrink(cfg)
    train(cfg)

    (events,) = (tmp_path / 'work').glob('*/vis_data/events.out.tfevents.*')
    shown = EventAccumulator(str(events.parent))
    shown.Reload()
    log = (events.parent / 'scalars.json').read_text()
    logged: dict[str, list[float]] = {}
    for line in map(json.loads, log.splitlines()):
        for name, value in line.items():
            logged.setdefault(name, []).append(value)
    names = set(shown.Tags()['scalars'])
    assert {'loss', 'affect/emotion_acc', 'loss_cls_visual'} <= names
    for name in names:
        values = [event.value for event in shown.Scalars(name)]
        assert values == pytest.approx(logged[name], rel=1e-6, nan_ok=True), name
