"""Emotion and sentiment scores as the paper's tables have them."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mmengine.dist import get_world_size
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, recall_score

from mart_mm.exports.tables import safe_cell
from mart_mm.registry import METRICS


def emotion_scores(labels: np.ndarray, predicted: np.ndarray, polarity: Sequence[int]) -> dict:
    """Accuracy, F1 and recall of emotion, accuracy and F1 of sentiment.

    Sentiment maps both label and prediction through the classes' polarity; there is no sentiment
    classifier. F1 is weighted by the classes' support, as in the paper's tables.

    Args:
        labels: Int (n,).
        predicted: Int (n,).
        polarity: Polarity of each class.

    Returns:
        ``emotion_acc``, ``emotion_f1``, ``emotion_f1_macro``, ``sentiment_acc``, ``sentiment_f1``
        in percent; ``recall`` per class in percent (nan for a class without samples);
        ``confusion`` counts, rows are labels.
    """
    classes = np.arange(len(polarity))
    signs = np.asarray(polarity)
    recall = recall_score(labels, predicted, labels=classes, average=None, zero_division=np.nan)

    def f1(truth: np.ndarray, guess: np.ndarray, average: str) -> float:
        return 100 * f1_score(truth, guess, average=average, zero_division=0)

    return dict(
        emotion_acc=100 * accuracy_score(labels, predicted),
        emotion_f1=f1(labels, predicted, 'weighted'),
        emotion_f1_macro=f1(labels, predicted, 'macro'),
        sentiment_acc=100 * accuracy_score(signs[labels], signs[predicted]),
        sentiment_f1=f1(signs[labels], signs[predicted], 'weighted'),
        recall=(100 * recall).tolist(),
        confusion=confusion_matrix(labels, predicted, labels=classes).tolist(),
    )


@METRICS.register_module()
class EmotionMetric(BaseMetric):
    """Scores of :func:`emotion_scores` over a data set; unreadable videos are counted, not scored.

    Args:
        polarity: Polarity of each class; default: the data set's.
        dump: Path without suffix; writes ``.json`` (null for a recall
            that is not defined) and ``.csv`` with the scores of each video.
        collect_device: As in MMEngine.
        prefix: As in MMEngine.
    """

    default_prefix = 'affect'

    def __init__(
        self,
        *,
        polarity: Sequence[int] | None = None,
        dump: str | None = None,
        collect_device: str = 'cpu',
        prefix: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.polarity, self.dump = polarity, dump

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Keep what is scored.

        Args:
            data_batch: Not used.
            data_samples: Predicted samples as dicts.
        """
        for sample in data_samples:
            record = dict(video_id=sample['video_id'], label=sample['gt_emotion'])
            if 'failed' in sample:
                record['failed'] = sample['failed']
            else:
                record['predicted'] = sample['pred_emotion']
                record['scores'] = [round(float(s), 6) for s in sample['pred_scores']]
            self.results.append(record)

    def evaluate(self, size: int) -> dict:
        """Score what all processes have kept.

        MMEngine drops what several processes evaluate twice from the end of the list; but there stands
        something else where a batch had unreadable videos, which come after the others. So all is
        collected, and :meth:`compute_metrics` finds what is there twice.

        Args:
            size: Number of videos.
        """
        return super().evaluate(size + get_world_size())

    def compute_metrics(self, results: list[dict]) -> dict:
        """Score all videos; logs recall per class.

        Raises:
            ValueError: When no video could be read.
        """
        # several processes may evaluate a video twice to even out their shares
        unique = {record['video_id']: record for record in results}
        good = [record for record in unique.values() if 'failed' not in record]
        if not good:
            raise ValueError(f'none of {len(unique)} videos could be read: nothing to score')
        classes = self.dataset_meta['classes']
        labels, predicted = (np.array([r[key] for r in good]) for key in ('label', 'predicted'))
        polarity = self.polarity or self.dataset_meta['polarity']
        scores = emotion_scores(labels, predicted, polarity)
        if self.dump:
            self._dump(list(unique.values()), scores, classes, polarity)
        recall = dict(zip(classes, scores.pop('recall'), strict=True))
        scores.pop('confusion')
        logger = MMLogger.get_current_instance()
        shown = ', '.join(f'{name} {value:.1f}' for name, value in recall.items())
        logger.info(f'recall per class: {shown}; {len(unique) - len(good)} videos not readable')
        return {
            **scores,
            **{f'recall_{name}': value for name, value in recall.items()},
            'videos': len(good),
            'skipped': len(unique) - len(good),
        }

    def _dump(
        self, records: list[dict], scores: dict, classes: Sequence[str], polarity: Sequence[int]
    ) -> None:
        path = Path(self.dump)
        path.parent.mkdir(parents=True, exist_ok=True)
        recall = [None if np.isnan(value) else value for value in scores['recall']]
        content = dict(
            classes=list(classes),
            polarity=list(polarity),
            scores=scores | dict(recall=recall),
            videos=records,
        )
        path.with_suffix('.json').write_text(json.dumps(content, indent=1, allow_nan=False))
        with path.with_suffix('.csv').open(
            'w', newline='', encoding='utf-8', errors='replace'
        ) as file:
            writer = csv.writer(file)
            writer.writerow(['video_id', 'label', 'predicted', 'failed', *map(safe_cell, classes)])
            for r in records:
                predicted = classes[r['predicted']] if 'predicted' in r else ''
                row = [r['video_id'], classes[r['label']], predicted, r.get('failed', '')]
                row = [*map(safe_cell, row), *r.get('scores', [''] * len(classes))]
                writer.writerow(row)
