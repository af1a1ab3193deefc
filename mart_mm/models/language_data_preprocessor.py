"""What :class:`AffectiveDataPreprocessor` does, for models that classify what is said."""

from __future__ import annotations

from mart_mm.models.data_preprocessor import AffectiveDataPreprocessor
from mart_mm.registry import MODELS


@MODELS.register_module()
class LanguageDataPreprocessor(AffectiveDataPreprocessor):
    """Cues get their features in every stage, not in pretraining alone.

    Takes the arguments of :class:`AffectiveDataPreprocessor`.
    """

    def forward(self, data: dict, training: bool = False) -> dict:
        """Prepare a batch; see :class:`AffectiveDataPreprocessor`.

        Returns:
            As there; ``inputs['cues']['features']`` is always filled, and ``inputs['present']['text']``
            is true only for videos with a cue: a transcript without one says nothing to the model.
        """
        batch = super().forward(data, training)
        inputs = batch['inputs']
        cues, present = inputs['cues'], inputs['present']
        if 'features' not in cues:
            cues = cues | {'features': self._features(batch['data_samples'], cues['valid'])}
        has_cue = cues['valid'].flatten(1).any(1)
        inputs |= dict(cues=cues, present=present | {'text': present['text'] & has_cue})
        return batch
