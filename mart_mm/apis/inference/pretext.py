"""What is left of a pretext at prediction."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from mart_mm.models.affective.lexicon_attention import masking_scores
from mart_mm.models.backbones.base import BackboneOutput
from mart_mm.models.heads.polarity_consistent import STREAMS
from mart_mm.models.maskers.emotion import EmotionMasker
from mart_mm.models.pretext.base import Pretext
from mart_mm.models.pretext.masked_affective import MaskedAffectivePretext
from mart_mm.models.recognizers.affective import AffectiveRecognizer
from mart_mm.models.text_encoders.lexicon_vector import LexiconVectorEncoder
from mart_mm.registry import MODELS


def is_type(config: dict, kind: type) -> bool:
    """Whether a config builds a class, or one derived from it."""
    built = MODELS.get(config['type'])
    return isinstance(built, type) and issubclass(built, kind)


def why_no_masks(pretext: dict, text_encoder: dict, state: Mapping[str, Tensor]) -> str:
    """Why it cannot be said what a pretext masks; empty where it can.

    Args:
        pretext: Config, may be empty.
        text_encoder: Config.
        state: Weights of the checkpoint.
    """
    if not pretext or not is_type(pretext, MaskedAffectivePretext) or not masked_streams(pretext):
        return "the model's pretext has no EmotionMasker"
    if not is_type(text_encoder, LexiconVectorEncoder):
        return f'the weights of {text_encoder["type"]}, which encodes words, are in no checkpoint'
    if any(not weights_below(f'pretext.attention.{n}.', state) for n in masked_streams(pretext)):
        return 'the checkpoint holds no weights of the pretext'
    return ''


def masked_streams(pretext: dict) -> list[str]:
    """Streams of which emotion-oriented masking hides patches."""
    return [
        name
        for name in STREAMS
        if pretext.get(name) and is_type(pretext[name]['masker'], EmotionMasker)
    ]


def weights_below(prefix: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights whose names begin so, without that."""
    return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}


class WordVerifier(Pretext):
    """What is left of a pretext at prediction: it tells the cues' levels.

    Args:
        verifier: Module that does; see :meth:`Pretext.cue_levels`.
    """

    def __init__(self, verifier: nn.Module) -> None:
        super().__init__()
        self.verifier = verifier

    def loss(self, recognizer: AffectiveRecognizer, inputs: dict, data_samples: list) -> dict:
        """Not for training.

        Raises:
            TypeError: Always.
        """
        raise TypeError('a recogniser built for prediction cannot be trained: build its config')

    def cue_levels(self, distribution: Tensor, polarity: Tensor, inputs: dict) -> Tensor:
        """See :class:`Pretext`."""
        return self.verifier(distribution, polarity, inputs['cues'])


class EmotionPicker(WordVerifier):
    """It also tells what emotion-oriented masking picks at the end of pretraining (Eq. 6-7).

    Args:
        config: Of a pretext with masked streams, see :func:`masked_streams`.
        recognizer: Whose backbone looks.
    """

    picks_tokens = True

    def __init__(self, config: dict, recognizer: AffectiveRecognizer) -> None:
        super().__init__(MODELS.build(config['verifier']))
        self.verify_level = config.get('verify_level', 3)
        self.self_attention_share = config.get('self_attention_share', 0.0)
        dims = dict(
            dims=recognizer.backbone.embed_dims, text_dims=recognizer.data_preprocessor.text_dims
        )
        streams = masked_streams(config)
        self.attention = nn.ModuleDict(
            {name: MODELS.build(config['attention'], default_args=dims) for name in streams}
        )
        self.maskers = nn.ModuleDict(
            {name: MODELS.build(config[name]['masker']) for name in streams}
        )

    def picked_tokens(self, output: BackboneOutput, levels: Tensor, inputs: dict) -> list[dict]:
        """See :class:`Pretext`."""
        cues, present = inputs['cues'], inputs['present']
        is_verified = cues['valid'] & (levels >= self.verify_level)  # (B, S, K)
        words = cues['features'].flatten(0, 1)
        with_words = is_verified.any(2).cpu()
        masks = [dict(with_words=flags) for flags in with_words]
        for name, masker in self.maskers.items():
            scores = masking_scores(
                getattr(output, f'{name}_attention'),
                self.attention[name](words, getattr(output, f'{name}_tokens')).attention,
                is_verified.flatten(0, 1),
                self.self_attention_share,
            )
            grid = getattr(output, f'{name}_grid')
            picked = masker.pick(scores, 1.0).cpu().view(*is_verified.shape[:2], *grid)
            for mask, tokens, is_present in zip(masks, picked, present[name].tolist(), strict=True):
                if is_present:
                    mask[name] = tokens
        return masks
