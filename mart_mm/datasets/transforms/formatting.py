"""The last transform: arrays to tensors, everything else to the data sample."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
import torch
from torch import Tensor

from mart_mm.datasets.transforms.base import Transform
from mart_mm.registry import TRANSFORMS
from mart_mm.structures.affective_data_sample import AffectiveDataSample


class _Pack(Transform):
    """Labels, words and cues; what is seen and heard differs.

    Args:
        max_cues: K; further cues of a segment are left out.
    """

    def __init__(self, *, max_cues: int = 40) -> None:
        self.max_cues = max_cues

    @abstractmethod
    def streams(self, results: dict) -> tuple[dict[str, Tensor], dict[str, bool]]:
        """``imgs`` and ``audios``, and whether there is each of them."""

    def transform(self, results: dict) -> dict:
        """Pack."""
        cues = [segment[: self.max_cues] for segment in results['cues']]
        streams, present = self.streams(results)
        inputs = dict(
            **streams,
            cues=self._pack_cues(cues, np.asarray(results['class_has_words'], dtype=bool)),
            present=dict(**present, text=bool(results['has_text'])),
        )
        sample = AffectiveDataSample(
            metainfo=dict(
                video_id=results['video_id'],
                video_path=results.get('video_path', ''),
                transcript_source=results.get('transcript_source'),
                warnings=results.get('warnings', []),
            )
        )
        if 'gt_emotion' in results:
            sample.gt_emotion = int(results['gt_emotion'])
        if 'gt_distribution' in results:
            sample.gt_distribution = torch.from_numpy(results['gt_distribution'])
        sample.segment_times = torch.as_tensor(results['segment_times'], dtype=torch.float32)
        sample.texts, sample.cues = results['texts'], cues
        return dict(inputs=inputs, data_samples=sample)

    def _pack_cues(self, cues: list[list[dict]], class_has_words: np.ndarray) -> dict:
        shape = (len(cues), self.max_cues)
        polarity = torch.zeros(shape, dtype=torch.int64)
        emotion_class = torch.full(shape, -1, dtype=torch.int64)
        emotion = torch.zeros(*shape, len(class_has_words))
        valid = torch.zeros(shape, dtype=torch.bool)
        for s, segment in enumerate(cues):
            for k, cue in enumerate(segment):
                polarity[s, k], emotion_class[s, k] = cue['polarity'], cue['emotion_class']
                emotion[s, k] = torch.as_tensor(cue['degrees'])
                valid[s, k] = True
        return dict(
            polarity=polarity,
            emotion_class=emotion_class,
            emotion=emotion,
            valid=valid,
            class_has_words=torch.from_numpy(class_has_words),
        )


@TRANSFORMS.register_module()
class PackAffectiveInputs(_Pack):
    """Pack frames, log-mel and cues into what the data preprocessor takes.

    ==================== ==================================================================
    needs                gives
    ==================== ==================================================================
    ``imgs``             ``inputs['imgs']`` uint8 (S, 3, T, H, W)
    ``audios``           ``inputs['audios']`` float32 (S, F, mel bins)
    ``cues``, ``texts``  ``inputs['cues']``: ``polarity``, ``emotion_class`` int64 (S, K),
                         ``emotion`` float32 (S, K, C), ``valid`` bool (S, K),
                         ``class_has_words`` bool (C,)
    ``has_audio``        ``inputs['present']``: ``visual``, ``audio``, ``text``
    ==================== ==================================================================

    The data sample takes the labels (``gt_emotion``, ``gt_distribution``), the words and their times, and
    says where the words come from (``transcript_source``) and what could not be read (``warnings``).

    Args:
        max_cues: K; further cues of a segment are left out.
    """

    def streams(self, results: dict) -> tuple[dict[str, Tensor], dict[str, bool]]:
        """Frames and log-mel."""
        frames = torch.from_numpy(np.ascontiguousarray(results['imgs']))  # (S, T, H, W, 3)
        streams = dict(
            imgs=frames.permute(0, 4, 1, 2, 3).contiguous(),
            audios=torch.from_numpy(np.asarray(results['audios'], dtype=np.float32)),
        )
        return streams, dict(visual=True, audio=bool(results['has_audio']))


@TRANSFORMS.register_module()
class PackFeatureInputs(_Pack):
    """As :class:`PackAffectiveInputs`, for what ``LoadFeatures`` gives.

    ``inputs['imgs']`` and ``inputs['audios']`` are float32 (S, N, D), the tokens of each modality.
    """

    def streams(self, results: dict) -> tuple[dict[str, Tensor], dict[str, bool]]:
        """Tokens of both modalities."""
        streams = dict(
            imgs=torch.from_numpy(results['visual_features']),
            audios=torch.from_numpy(results['audio_features']),
        )
        return streams, {name: bool(results[f'has_{name}']) for name in ('visual', 'audio')}
