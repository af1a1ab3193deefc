"""Scores against the planted truth, on made-up findings whose scores are known."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mart_mm.apis.demo.truth_scores import Inspection, TruthScores, iou, planted_tokens
from mart_mm.structures.affective_data_sample import AffectiveDataSample


def test_planted_tokens_and_iou() -> None:
    tokens = planted_tokens([[0.5, 0.0, 1.0, 0.5]], (2, 4, 4)).reshape(2, 4, 4)
    expected = np.zeros((4, 4), bool)
    expected[:2, 2:] = True
    assert (tokens == expected).all()
    a, b = np.array([1, 1, 0, 0], bool), np.array([0, 1, 1, 0], bool)
    assert iou(a, b) == pytest.approx(1 / 3)


def test_scores_of_known_findings() -> None:
    word = dict(kind='true', concept='glad', start=0.2, end=0.4)
    plan = dict(
        emotion=1, blemish=None, degree=[[0, 0.0], [0, 0.5], [0, 0.9]],
        patches=[[], [[0.0, 0.0, 0.5, 1.0]], [[0.5, 0.0, 1.0, 1.0]]],
        words=[
            word, dict(word, concept='proud', start=2.1, end=2.3), dict(word, kind='echo', concept='glum'),
        ],
    )  # fmt: skip
    sample = AffectiveDataSample(metainfo=dict(video_id='v'))
    sample.cues = [
        [
            dict(concept='glad', start=0.2, end=0.4, level=3),
            dict(concept='glum', start=0.2, end=0.4, level=2),
            dict(concept='grim', start=0.5, end=0.6, level=0),
        ],
        [dict(concept='glad', start=1.2, end=1.4, level=1)],  # the right word at another time
        [dict(concept='proud', start=2.1, end=2.3, level=2)],
    ]
    is_masked = torch.zeros(3, 4, dtype=torch.bool)  # grid (1, 2, 2)
    is_masked[1, [0, 2]] = True  # all of the left half: IoU 1
    is_masked[2, [0, 1]] = True  # one of two on the right, one beside: IoU 1/3
    is_masked[0, [0, 1]] = True
    curve = torch.tensor([[[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]]])  # in the order of the degrees
    view = SimpleNamespace(distribution=curve.flip(1))  # in the opposite order
    recognizer = SimpleNamespace(
        backbone=SimpleNamespace(visual=SimpleNamespace(spec=SimpleNamespace(grid=(1, 2, 2))))
    )
    scores = TruthScores(dict(videos={'v': plan}))
    scores.add(recognizer, Inspection([sample], view, {'visual': is_masked}, curve))
    got = scores.summary()
    precision = [got['verification'][str(level)]['precision'] for level in range(4)]
    recall = [got['verification'][str(level)]['recall'] for level in range(4)]
    assert precision == [0.4, 0.5, 0.6667, 1.0]
    assert recall == [1.0, 1.0, 1.0, 0.5]
    assert got['mask_iou'] == pytest.approx((1 + 1 / 3) / 2, abs=1e-4)
    assert got['recovery_rank_correlation'] == 1.0
    assert got['cam_rank_correlation'] == -1.0
