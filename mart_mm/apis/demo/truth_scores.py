"""How well a pretrained MART finds what was planted."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from scipy.stats import spearmanr

from mart_mm.apis.browse import load_recognizer
from mart_mm.apis.inspection import Inspection, inspect, is_true_word
from mart_mm.models.maskers.random import RandomMasker
from mart_mm.models.recognizers.affective import AffectiveRecognizer
from mart_mm.structures.affective_data_sample import AffectiveDataSample


def planted_tokens(boxes: list[list[float]], grid: tuple[int, ...]) -> np.ndarray:
    """Tokens whose centre lies in a planted region, bool (N,)."""
    t, h, w = grid
    y, x = np.meshgrid((np.arange(h) + 0.5) / h, (np.arange(w) + 0.5) / w, indexing='ij')
    inside = np.zeros((h, w), dtype=bool)
    for left, top, right, bottom in boxes:
        inside |= (x > left) & (x < right) & (y > top) & (y < bottom)
    return np.broadcast_to(inside, (t, h, w)).ravel()


def iou(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two boolean arrays."""
    return float((a & b).sum() / max(1, (a | b).sum()))


class TruthScores:
    """Collects how well MART finds what was planted.

    Args:
        truth: Content of ``truth.json``.
    """

    def __init__(self, truth: dict) -> None:
        self.videos = truth['videos']
        self.words: list[tuple[int, bool]] = []  # level, true
        self.true_words = 0
        self.ious: list[float] = []
        self.random_ious: list[float] = []
        self.correlations: list[float] = []
        self.cam_correlations: list[float] = []
        self.random = RandomMasker(ratio=0.5)
        self.generator = torch.Generator().manual_seed(0)

    def add(self, recognizer: AffectiveRecognizer, found: Inspection) -> None:
        """Score one batch."""
        shape = found.view.distribution.shape
        grid = recognizer.backbone.visual.spec.grid
        masked = found.is_masked['visual'].view(*shape[:2], -1).cpu().numpy()
        self.random.ratio = float(masked[0, 0].mean())
        noise = self.random(
            None, grid, 1.0, batch_size=shape[0] * shape[1], generator=self.generator
        )
        noise = noise.view(masked.shape).numpy()
        for b, sample in enumerate(found.samples):
            plan = self.videos[sample.video_id]
            self._add_words(sample, plan)
            for s, boxes in enumerate(plan['patches']):
                if boxes:
                    truth = planted_tokens(boxes, grid)
                    self.ious.append(iou(masked[b, s], truth))
                    self.random_ious.append(iou(noise[b, s], truth))
            degree = np.array(plan['degree'])[:, plan['emotion']]
            for scores, into in (
                (found.recovered, self.correlations),
                (found.view.distribution, self.cam_correlations),
            ):
                curve = scores[b, :, plan['emotion']].cpu().numpy()
                into.append(float(spearmanr(curve, degree).statistic))

    def _add_words(self, sample: AffectiveDataSample, plan: dict) -> None:
        # a video without subtitles has no words to find
        if plan['blemish'] != 'no_subtitles':
            self.true_words += sum(word['kind'] == 'true' for word in plan['words'])
        for cues in sample.cues:
            self.words += [(cue['level'], is_true_word(cue, plan['words'])) for cue in cues]

    def summary(self) -> dict:
        """Scores as ``demo_out/metrics.json`` has them."""
        verification = {}
        for level in range(4):
            kept = [is_true for passed, is_true in self.words if passed >= level]
            verification[str(level)] = dict(
                precision=round(sum(kept) / max(1, len(kept)), 4),
                recall=round(sum(kept) / max(1, self.true_words), 4),
                kept=len(kept),
            )
        return dict(
            verification=verification,
            mask_iou=round(float(np.mean(self.ious)), 4),
            mask_iou_random=round(float(np.mean(self.random_ious)), 4),
            recovery_rank_correlation=round(float(np.nanmean(self.correlations)), 4),
            cam_rank_correlation=round(float(np.nanmean(self.cam_correlations)), 4),
        )


def score_truth(cfg: Config, checkpoint: str, truth_file: str | Path) -> dict:
    """Score the test split of a planted data set.

    Args:
        cfg: Config whose ``test_dataloader`` reads the data set.
        checkpoint: Weights at the end of pretraining.
        truth_file: ``truth.json`` of the data set.

    Returns:
        ``verification`` by level, ``mask_iou``, ``mask_iou_random``, ``recovery_rank_correlation``
        (Spearman over a video's segments, mean over videos) and the same of the temporal CAM.

    Raises:
        TypeError: When the model has no pretext of MART.
        ValueError: When no target of it recovers the emotion distribution.
    """
    recognizer = load_recognizer(cfg, checkpoint)
    scores = TruthScores(json.loads(Path(truth_file).read_text()))
    for batch in Runner.build_dataloader(cfg.test_dataloader, seed=0):
        if not batch['data_samples']:
            continue
        found = inspect(recognizer, batch)
        if found.recovered is None:
            raise ValueError(
                f'{cfg.filename}: no target recovers the emotion distribution, there is no course to '
                'hold against the planted one'
            )
        scores.add(recognizer, found)
    return scores.summary()
