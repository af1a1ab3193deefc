"""How much of the emotion a simple classifier reads from frozen features."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from mart_mm.apis.extract import SplitFeatures
from mart_mm.evaluation.emotion_metric import emotion_scores

#: inverse strengths of the linear probe's regularisation; of equals the strongest is taken
C_GRID = tuple(10.0**power for power in range(-4, 3))
FOLDS = 5
#: of the neighbours' weights (Wu et al., CVPR 2018; DINO, Caron et al., ICCV 2021, take 0.07 too)
TEMPERATURE = 0.07


@dataclass(frozen=True)
class ProbeScore:
    """What one probe found on the test split.

    Attributes:
        modality: Its name, names joined by `` + ``, or ``'none'`` for the majority class.
        probe: ``'linear'``, ``'knn'`` or ``'majority'`` (the most frequent training class).
        accuracy: Of emotion, percent.
        f1_macro: Of emotion, percent.
        absent_train: Training videos without the modality (of several: without any of them).
        absent_test: Test videos likewise.
        chosen: ``C`` of the linear probe and ``cv_accuracy`` on the training split, which flatters
            a backbone that was taught with its labels; ``k`` of the other.
    """

    modality: str
    probe: str
    accuracy: float
    f1_macro: float
    absent_train: int
    absent_test: int
    chosen: dict[str, float]


def standardiser() -> Pipeline:
    """Zero mean and unit variance of each dimension over what is there; zero for what is not (nan)."""
    fill = SimpleImputer(strategy='constant', fill_value=0.0, keep_empty_features=True)
    return make_pipeline(StandardScaler(), fill)


def linear_probe(x: np.ndarray, labels: np.ndarray, seed: int = 0) -> GridSearchCV:
    """Fit a logistic regression on standardised features, with C chosen by cross-validation.

    The statistics are those of the training part of each fold.

    Args:
        x: (n, D), a training split; nan where a modality is absent.
        labels: Int (n,).
        seed: Of the folds.

    Returns:
        The fitted search: ``predict``, ``best_params_``, ``best_score_``.

    Raises:
        ValueError: With a single class, or no class of two videos.
    """
    counts = Counter(labels.tolist())
    if len(counts) < 2 or max(counts.values()) < 2:
        raise ValueError(
            f'{len(labels)} training videos of {len(counts)} classes are too few for a probe: it '
            'needs two classes, and a class of two videos'
        )
    folds = StratifiedKFold(max(2, min(FOLDS, *counts.values())), shuffle=True, random_state=seed)
    model = Pipeline([('scale', standardiser()), ('fit', LogisticRegression(max_iter=2000))])
    search = GridSearchCV(model, {'fit__C': list(C_GRID)}, cv=folds, scoring='accuracy')
    return search.fit(x, labels)


def knn_predict(
    x_train: np.ndarray,
    labels: np.ndarray,
    x_test: np.ndarray,
    *,
    num_classes: int,
    k: int = 20,
    temperature: float = TEMPERATURE,
) -> np.ndarray:
    """Weighted vote of the nearest training videos.

    A neighbour of cosine similarity s has the weight exp(s / temperature).

    Args:
        x_train: (n, D).
        labels: Int (n,).
        x_test: (m, D).
        num_classes: C.
        k: Neighbours that vote; all n where there are fewer.
        temperature: Of the weights.

    Returns:
        Int (m,); of equal votes the class listed first.
    """
    similarity = _unit(x_test) @ _unit(x_train).T  # (m, n)
    nearest = np.argsort(-similarity, axis=1, kind='stable')[:, :k]
    weights = np.exp(np.take_along_axis(similarity, nearest, 1) / temperature)
    votes = np.zeros((len(x_test), num_classes))
    np.add.at(votes, (np.arange(len(x_test))[:, None], labels[nearest]), weights)
    return votes.argmax(1)


def _unit(x: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(x, axis=1, keepdims=True)
    return x / np.where(length > 0, length, 1)


def probe(
    train: SplitFeatures, test: SplitFeatures, *, k: int = 20, seed: int = 0
) -> list[ProbeScore]:
    """Probe each modality and all of them side by side.

    Nothing of the test split enters a fit, a choice or a standardisation. A video without a modality
    is scored all the same, on zeros. A modality that no training video has is left out.

    Args:
        train: The features' means over segments are used.
        test: Likewise.
        k: Neighbours of the kNN probe.
        seed: Of the linear probe's folds.

    Returns:
        The majority class, then two scores per modality, then two of all where there are several.

    Raises:
        ValueError: When a video stands in both splits, classes differ, or training videos are too few.
    """
    twice = np.intersect1d(train.ids, test.ids)
    if len(twice):
        raise ValueError(f'{len(twice)} videos stand in both splits, {twice[0]} first')
    if train.classes != test.classes:
        raise ValueError(f'classes differ: {train.classes} and {test.classes}')

    def score(name: str, kind: str, predicted: np.ndarray, absent: tuple, **chosen: float) -> None:
        found = emotion_scores(test.labels, predicted, test.polarity)
        figures = found['emotion_acc'], found['emotion_f1_macro']
        scores.append(ProbeScore(name, kind, *figures, *absent, chosen))

    scores: list[ProbeScore] = []
    majority = np.bincount(train.labels).argmax()
    score('none', 'majority', np.full(len(test.labels), majority), (0, 0))
    names = [name for name, m in train.modalities.items() if m.is_present.any()]
    for group in [[name] for name in names] + [names] * (len(names) > 1):
        x_train, x_test = _joined(train, group), _joined(test, group)
        absent = _without_any(train, group), _without_any(test, group)
        search = linear_probe(x_train, train.labels, seed)
        chosen = dict(C=search.best_params_['fit__C'], cv_accuracy=float(100 * search.best_score_))
        score(' + '.join(group), 'linear', search.predict(x_test), absent, **chosen)
        scale = standardiser().fit(x_train)
        votes = min(k, len(train.labels))
        predicted = knn_predict(
            scale.transform(x_train),
            train.labels,
            scale.transform(x_test),
            num_classes=len(train.classes),
            k=votes,
        )
        score(' + '.join(group), 'knn', predicted, absent, k=votes)
    return scores


def _joined(features: SplitFeatures, names: list[str]) -> np.ndarray:
    """Means (n, sum of D) of modalities side by side, nan where one is absent."""
    parts = [features.modalities[name] for name in names]
    return np.concatenate(
        [np.where(p.is_present[:, None], p.mean.astype(np.float64), np.nan) for p in parts], axis=1
    )


def _without_any(features: SplitFeatures, names: list[str]) -> int:
    is_present = [features.modalities[name].is_present for name in names]
    return int((~np.logical_or.reduce(is_present)).sum())
