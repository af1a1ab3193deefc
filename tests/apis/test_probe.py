"""Probes on features whose content is planted, and against scikit-learn."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.neighbors import KNeighborsClassifier

from mart_mm.apis.extract import ModalityFeatures, SplitFeatures
from mart_mm.apis.frozen import RANDOM_INIT, frozen_recognizer, read_config
from mart_mm.apis.probe import C_GRID, knn_predict, linear_probe, probe
from tools.analysis.probe import main

CLASSES = ['anger', 'fear', 'joy']


def modality(values: np.ndarray, is_present: np.ndarray | None = None) -> ModalityFeatures:
    if is_present is None:
        is_present = np.ones(len(values), dtype=bool)
    values = (values * is_present[:, None]).astype(np.float32)
    return ModalityFeatures(np.repeat(values[:, None], 2, axis=1), values, is_present)


def split(name: str, labels: np.ndarray, **modalities: ModalityFeatures) -> SplitFeatures:
    ids = np.array([f'{name}{index}' for index in range(len(labels))])
    return SplitFeatures(ids, labels, CLASSES, [-1, -1, 1], modalities, {})


def plant(count: int, seed: int, noise: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """Features (n, 8) that hold the class linearly in two of their dimensions."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    x = rng.normal(size=(count, 8)) * 5 + 30
    x[:, :2] = np.array([[0, 0], [0, 1], [1, 0]])[labels] + noise * rng.normal(size=(count, 2))
    return x, labels


def figures(train: SplitFeatures, test: SplitFeatures, **options: int) -> dict[tuple, object]:
    return {(s.modality, s.probe): s for s in probe(train, test, **options)}


def test_planted_classes_are_found() -> None:
    (x, labels), (x_test, test_labels) = plant(90, 0), plant(60, 1)
    noise = np.random.default_rng(2).normal(size=(150, 8))
    train = split('a', labels, visual=modality(x), audio=modality(noise[:90]))
    test = split('b', test_labels, visual=modality(x_test), audio=modality(noise[90:]))
    found = figures(train, test)
    assert list(found) == [
        ('none', 'majority'),
        *((name, kind) for name in ('visual', 'audio', 'visual + audio') for kind in ('linear', 'knn')),
    ]  # fmt: skip
    assert found['visual', 'linear'].accuracy == found['visual', 'linear'].f1_macro == 100
    assert found['visual + audio', 'linear'].accuracy == 100
    assert found['visual', 'knn'].accuracy > 60
    for kind in ('linear', 'knn'):
        assert abs(found['audio', kind].accuracy - 100 / 3) < 20  # 3.3 standard deviations
    assert found['none', 'majority'].accuracy == pytest.approx(100 / 3)
    assert found['none', 'majority'].f1_macro == pytest.approx(50 / 3)


def test_shuffled_labels_are_chance() -> None:
    (x, labels), (x_test, test_labels) = plant(300, 0), plant(300, 1)
    labels = (labels + np.arange(300) // 3) % 3  # as many of each among the videos of a class
    found = figures(
        split('a', labels, visual=modality(x)), split('b', test_labels, visual=modality(x_test))
    )
    for kind in ('linear', 'knn'):
        assert abs(found['visual', kind].accuracy - 100 / 3) < 12


def test_linear_probe_is_logistic_regression_on_standardised_features() -> None:
    (x, labels), (x_test, _) = plant(60, 4, noise=0.5), plant(40, 5, noise=0.5)
    search = linear_probe(x, labels)
    chosen = search.best_params_['fit__C']
    assert chosen in C_GRID
    z = (x - x.mean(0)) / x.std(0)
    by_hand = LogisticRegression(C=chosen, max_iter=2000).fit(z, labels)
    expected = by_hand.predict((x_test - x.mean(0)) / x.std(0))
    assert (search.predict(x_test) == expected).all()


@pytest.mark.parametrize('k', [1, 5, 20])
def test_knn_is_scikit_learns(k: int) -> None:
    rng = np.random.default_rng(6)
    x, x_test = rng.normal(size=(50, 6)), rng.normal(size=(200, 6))
    labels = rng.integers(0, 4, 50)
    reference = KNeighborsClassifier(
        k, metric='cosine', algorithm='brute', weights=lambda d: np.exp((1 - d) / 0.07)
    ).fit(x, labels)
    found = knn_predict(x, labels, x_test, num_classes=4, k=k)
    assert (found == reference.predict(x_test)).all()
    assert len(set(found.tolist())) == 4


def test_fewer_videos_than_neighbours() -> None:
    x, labels = plant(9, 0)
    train, test = split('a', labels, visual=modality(x)), split('b', labels, visual=modality(x))
    assert figures(train, test, k=20)['visual', 'knn'].chosen == {'k': 9}


@pytest.mark.parametrize('kind', ['linear', 'knn'])
def test_test_split_enters_no_fit(kind: str) -> None:
    """Predictions made from the training split alone are those that are scored, whatever the labels."""
    (x, labels), (x_test, _) = plant(60, 7, noise=0.5), plant(50, 8, noise=0.5)
    if kind == 'linear':
        predicted = linear_probe(x, labels).predict(x_test)
    else:
        scaled = [(values - x.mean(0)) / x.std(0) for values in (x, x_test)]
        predicted = knn_predict(scaled[0], labels, scaled[1], num_classes=3)
    x_far = np.concatenate([x_test, np.full((1, 8), 1e6)])  # would upset any common standardisation
    train = split('a', labels, visual=modality(x))
    for shift, expected in ((0, 100.0), (1, 0.0)):
        test_labels = (np.append(predicted, 0) + shift) % 3
        test = split('b', test_labels, visual=modality(x_far))
        # the video far away is right or wrong by chance
        counted = figures(train, test)['visual', kind].accuracy * 51 / 100
        assert round(counted) - expected / 2 in (0, 1)


def test_absent_modality_is_the_mean_of_those_that_have_it() -> None:
    x, labels = plant(60, 9, noise=0.3)
    x_test, test_labels = plant(30, 10, noise=0.3)
    is_present, is_present_test = np.arange(60) % 4 != 0, np.arange(30) % 5 != 0
    train = split('a', labels, visual=modality(x), audio=modality(x, is_present))
    test = split('b', test_labels, visual=modality(x_test), audio=modality(x_test, is_present_test))
    found = figures(train, test)
    score = found['audio', 'linear']
    assert (score.absent_train, score.absent_test) == (15, 6)
    assert found['visual + audio', 'linear'].absent_train == 0

    mean, std = x[is_present].mean(0), x[is_present].std(0)
    z, z_test = (
        (values - mean) / std * there[:, None]
        for values, there in ((x, is_present), (x_test, is_present_test))
    )
    predicted = (
        LogisticRegression(C=score.chosen['C'], max_iter=2000).fit(z, labels).predict(z_test)
    )
    assert score.accuracy == pytest.approx(100 * accuracy_score(test_labels, predicted))
    expected = f1_score(test_labels, predicted, average='macro')
    assert score.f1_macro == pytest.approx(100 * expected)
    predicted = knn_predict(z, labels, z_test, num_classes=3)
    assert found['audio', 'knn'].accuracy == pytest.approx(100 * (predicted == test_labels).mean())


def test_modality_that_no_training_video_has_is_left_out() -> None:
    x, labels = plant(30, 11)
    nobody = np.zeros(30, dtype=bool)
    train = split('a', labels, visual=modality(x), audio=modality(x, nobody))
    test = split('b', labels, visual=modality(x), audio=modality(x))
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        assert {name for name, _ in figures(train, test)} == {'none', 'visual'}


def test_bad_input_is_refused() -> None:
    x, labels = plant(30, 12)
    train, test = split('a', labels, visual=modality(x)), split('b', labels, visual=modality(x))
    with pytest.raises(ValueError, match='30 videos stand in both splits, a0 first'):
        probe(train, train)
    with pytest.raises(ValueError, match='classes differ'):
        probe(train, replace(test, classes=['fear', 'anger', 'joy']))
    with pytest.raises(ValueError, match='of 1 classes are too few'):
        probe(replace(train, labels=np.zeros(30, dtype=np.int64)), test)


def test_command(feature_config: Path, planted: Path, tmp_path: Path, capsys: object) -> None:
    """Random weights beside a checkpoint of the same weights: the same figures."""
    cfg = read_config(feature_config)
    checkpoint = tmp_path / 'epoch_1.pth'
    torch.save(dict(state_dict=frozen_recognizer(cfg, RANDOM_INIT).state_dict()), checkpoint)
    out = tmp_path / 'probe.json'
    options = ['--random-init', '--neighbours', '5', '--json', str(out)]
    with pytest.raises(SystemExit):
        main([str(feature_config)])
    assert main([str(feature_config), str(checkpoint), *options]) == 0
    printed = capsys.readouterr().out
    content = json.loads(out.read_text())
    assert content['config'] == str(feature_config) and str(checkpoint) in content['command']
    assert content['splits']['train']['videos'] == 11
    assert list(content['splits']['train']['unreadable']) == ['anger/1002']
    assert content['splits']['train']['by_class']['anger'] == 1
    assert content['splits']['test']['videos'] == 6

    random, trained = (
        [row for row in content['rows'] if row['weights'] == name]
        for name in (RANDOM_INIT, str(checkpoint))
    )
    assert [dict(row, weights='') for row in random] == [dict(row, weights='') for row in trained]
    assert len(random) == 6 and len(content['rows']) == 13
    audio = random[2]
    assert (audio['modality'], audio['absent_train'], audio['absent_test']) == ('audio', 1, 1)
    assert random[1]['chosen'] == {'k': 5}

    table = [line.split('|') for line in printed.splitlines() if line.startswith('| ')]
    assert len(table) == 2 + 13
    for cells, row in zip(table[2:], content['rows'], strict=True):
        assert float(cells[4]) == pytest.approx(row['accuracy'], abs=0.051)
    assert 'train: 11 videos, 1 not readable; test: 6 videos, 0 not readable' in printed
