"""Predictions that were written down, scored again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from sklearn.metrics import accuracy_score, f1_score, top_k_accuracy_score

from mart_mm.apis.rescore import rescore
from mart_mm.evaluation.emotion_metric import EmotionMetric
from mart_mm.registry import METRICS
from tools.analysis.eval_metric import main

CLASSES, POLARITY = ['anger', 'fear', 'joy', 'trust'], [-1, -1, 1, 1]
CONFIG = "default_scope = 'mart_mm'\ntest_evaluator = dict(type='EmotionMetric')\n"


class Predicted:
    """Forty random predictions and the two videos that could not be read."""

    def __init__(self, folder: Path) -> None:
        rng = np.random.default_rng(3)
        self.labels = rng.integers(4, size=40)
        self.scores = rng.dirichlet(np.ones(4), size=40)
        self.predicted = self.scores.argmax(1)
        metric = EmotionMetric(dump=str(folder / 'scores'))
        metric.dataset_meta = dict(classes=CLASSES, polarity=POLARITY)
        rows = zip(self.labels, self.predicted, self.scores, strict=True)
        samples = [
            dict(
                video_id=f'v{i}', gt_emotion=int(label), pred_emotion=int(guess), pred_scores=scores
            )
            for i, (label, guess, scores) in enumerate(rows)
        ]
        samples += [dict(video_id=f'broken{i}', gt_emotion=i, failed='cut off') for i in range(2)]
        metric.process({}, samples)
        self.metrics = metric.evaluate(len(samples))
        self.file = folder / 'scores.json'


@pytest.fixture
def predicted(tmp_path: Path) -> Predicted:
    return Predicted(tmp_path)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / 'mine.py'
    path.write_text(CONFIG)
    return path


def test_the_same_options_give_the_same_metrics(
    predicted: Predicted, config: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    out = tmp_path / 'again.json'
    assert main([str(config), str(predicted.file), '--json', str(out)]) == 0
    assert json.loads(out.read_text()) == predicted.metrics
    assert predicted.metrics['affect/skipped'] == 2
    accuracy = f'{predicted.metrics["affect/emotion_acc"]:.4f}'
    assert accuracy in capsys.readouterr().out


def test_other_options_give_other_metrics(
    predicted: Predicted, config: Path, tmp_path: Path
) -> None:
    signs = np.array([-1, 1, 1, -1])
    cfg = Config.fromfile(config)
    cfg.merge_from_dict({'test_evaluator.polarity': signs.tolist()})
    got = rescore(cfg, predicted.file)
    truth, guess = signs[predicted.labels], signs[predicted.predicted]
    assert got['affect/sentiment_acc'] == pytest.approx(100 * accuracy_score(truth, guess))
    f1 = f1_score(truth, guess, average='weighted')
    assert got['affect/sentiment_f1'] == pytest.approx(100 * f1)
    assert got['affect/sentiment_acc'] != predicted.metrics['affect/sentiment_acc']
    assert got['affect/emotion_acc'] == predicted.metrics['affect/emotion_acc']


@pytest.fixture
def _top2() -> Iterator[None]:
    @METRICS.register_module()
    class Top2(BaseMetric):
        default_prefix = 'mine'

        def process(self, data_batch: object, data_samples: list[dict]) -> None:
            read = [sample for sample in data_samples if 'failed' not in sample]
            self.results += [(s['gt_emotion'], s['pred_scores'].tolist()) for s in read]

        def compute_metrics(self, results: list) -> dict:
            hits = [sorted(scores)[-2] <= scores[label] for label, scores in results]
            return dict(top2=float(np.mean(hits)))

    yield
    METRICS.module_dict.pop('Top2')


@pytest.mark.usefixtures('_top2')
def test_a_metric_of_ones_own(predicted: Predicted, tmp_path: Path) -> None:
    cfg = Config(dict(test_evaluator=[dict(type='EmotionMetric'), dict(type='Top2')]))
    got = rescore(cfg, predicted.file)
    expected = top_k_accuracy_score(predicted.labels, predicted.scores, k=2)
    assert got['mine/top2'] == pytest.approx(expected)
    assert predicted.metrics.items() <= got.items()


@pytest.mark.parametrize(
    ('change', 'said'),
    [
        (lambda content: content.pop('videos'), "no field 'videos'"),
        (lambda content: content.pop('polarity'), "no field 'polarity'"),
        (lambda content: content['videos'].clear(), 'no video'),
        (lambda content: content['videos'][1].pop('label'), "videos[1]: no field 'label'"),
        (lambda content: content['videos'][2].update(label=4), "videos[2]: 'label' is 4"),
        (lambda content: content['videos'][3]['scores'].pop(), "videos[3]: 'scores' has 3 values"),
    ],
)
def test_what_is_no_dump_is_named(
    change: object, said: str, predicted: Predicted, config: Path, capsys: pytest.CaptureFixture
) -> None:
    content = json.loads(predicted.file.read_text())
    change(content)
    predicted.file.write_text(json.dumps(content))
    assert main([str(config), str(predicted.file)]) == 2
    told = capsys.readouterr().err
    assert str(predicted.file) in told and said in told and '--dump' in told


def test_files_that_cannot_be_read(
    predicted: Predicted, config: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert main([str(config), str(tmp_path / 'none.json')]) == 2
    assert 'none.json' in capsys.readouterr().err
    predicted.file.write_text('video_id,label')
    assert main([str(config), str(predicted.file)]) == 2
    assert 'no predictions' in capsys.readouterr().err
    config.write_text("default_scope = 'mart_mm'")
    assert main([str(config), str(predicted.file)]) == 2
    assert 'no test_evaluator' in capsys.readouterr().err
