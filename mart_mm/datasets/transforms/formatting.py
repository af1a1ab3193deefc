"""The last transform: arrays to tensors, everything else to the data sample."""

from __future__ import annotations

import numpy as np
import torch

from mart_mm.datasets.transforms.base import Transform
from mart_mm.registry import TRANSFORMS
from mart_mm.structures.affective_data_sample import AffectiveDataSample


@TRANSFORMS.register_module()
class PackAffectiveInputs(Transform):
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

    Args:
        max_cues: K; further cues of a segment are left out.
    """

    def __init__(self, *, max_cues: int = 40) -> None:
        self.max_cues = max_cues

    def transform(self, results: dict) -> dict:
        """Pack."""
        frames = torch.from_numpy(np.ascontiguousarray(results['imgs']))  # (S, T, H, W, 3)
        cues = [segment[: self.max_cues] for segment in results['cues']]
        inputs = dict(
            imgs=frames.permute(0, 4, 1, 2, 3).contiguous(),
            audios=torch.from_numpy(np.asarray(results['audios'], dtype=np.float32)),
            cues=self._pack_cues(cues, np.asarray(results['class_has_words'], dtype=bool)),
            present=dict(
                visual=True, audio=bool(results['has_audio']), text=bool(results['has_text'])
            ),
        )
        sample = AffectiveDataSample(
            metainfo=dict(video_id=results['video_id'], video_path=results['video_path'])
        )
        if 'gt_emotion' in results:
            sample.gt_emotion = int(results['gt_emotion'])
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
