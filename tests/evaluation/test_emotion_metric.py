import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from mart_mm.evaluation.emotion_metric import EmotionMetric, emotion_scores

POLARITY = [-1, -1, 1]


def f1_by_hand(labels: list, predicted: list, classes: list) -> tuple[float, float]:
    """Weighted and macro F1 from counts."""
    scores, support = [], []
    for c in classes:
        tp = sum(t == c and p == c for t, p in zip(labels, predicted, strict=True))
        fp = sum(t != c and p == c for t, p in zip(labels, predicted, strict=True))
        fn = sum(t == c and p != c for t, p in zip(labels, predicted, strict=True))
        scores.append(2 * tp / (2 * tp + fp + fn) if tp else 0.0)
        support.append(tp + fn)
    weighted = sum(s * n for s, n in zip(scores, support, strict=True)) / sum(support)
    return 100 * weighted, 100 * sum(scores) / len(scores)


def test_scores_equal_counts_by_hand() -> None:
    rng = np.random.default_rng(0)
    labels, predicted = rng.integers(3, size=50), rng.integers(3, size=50)
    got = emotion_scores(labels, predicted, POLARITY)
    weighted, macro = f1_by_hand(labels.tolist(), predicted.tolist(), [0, 1, 2])
    assert got['emotion_acc'] == pytest.approx(100 * np.mean(labels == predicted))
    assert got['emotion_f1'] == pytest.approx(weighted)
    assert got['emotion_f1_macro'] == pytest.approx(macro)
    signs = np.array(POLARITY)
    weighted, _ = f1_by_hand(signs[labels].tolist(), signs[predicted].tolist(), [-1, 1])
    assert got['sentiment_acc'] == pytest.approx(100 * np.mean(signs[labels] == signs[predicted]))
    assert got['sentiment_f1'] == pytest.approx(weighted)
    for c in range(3):
        expected = 100 * np.mean(predicted[labels == c] == c)
        assert got['recall'][c] == pytest.approx(expected)


def sample(name: str, label: int, predicted: int | None = None) -> dict:
    content = dict(video_id=name, gt_emotion=label)
    if predicted is None:
        return content | dict(failed='cannot be read')
    return content | dict(pred_emotion=predicted, pred_scores=torch.eye(3)[predicted])


def test_metric_counts_each_video_once_and_dumps(tmp_path: Path) -> None:
    metric = EmotionMetric(dump=str(tmp_path / 'scores'))
    metric.dataset_meta = dict(classes=['anger', 'fear', 'joy'], polarity=POLARITY)
    metric.process({}, [sample('a', 0, 0), sample('b', 1, 0), sample('c', 2, 2)])
    metric.process({}, [sample('d', 2), sample('a', 0, 0)])  # a comes twice
    got = metric.evaluate(5)
    assert got['affect/videos'] == 3 and got['affect/skipped'] == 1
    assert got['affect/emotion_acc'] == pytest.approx(200 / 3)
    assert got['affect/sentiment_acc'] == 100
    assert got['affect/recall_fear'] == 0
    content = json.loads((tmp_path / 'scores.json').read_text())
    assert [video['video_id'] for video in content['videos']] == ['a', 'b', 'c', 'd']
    rows = list(csv.DictReader((tmp_path / 'scores.csv').open()))
    assert rows[1]['label'] == 'fear' and rows[1]['predicted'] == 'anger'
    assert rows[3]['failed'] == 'cannot be read'


def test_nothing_to_score_is_an_error() -> None:
    metric = EmotionMetric()
    metric.dataset_meta = dict(classes=['anger', 'fear', 'joy'], polarity=POLARITY)
    metric.process({}, [sample('d', 2)])
    with pytest.raises(ValueError, match='none of 1 videos'):
        metric.evaluate(1)
