"""Temporal affective complementary learning, and the official code's stand-in for it."""

from __future__ import annotations

from torch import Tensor, nn

from mart_mm.models.affective.lexicon_attention import LexiconAware
from mart_mm.models.losses.reduce import global_mean
from mart_mm.models.losses.tacl import cpc_loss, tacl_loss
from mart_mm.registry import MODELS


@MODELS.register_module()
class TACL(nn.Module):
    """Pull lexicon-aware features to their words, push those of other windows apart (paper Eq. 5).

    Both directions, visual and audio, are added.

    Args:
        dims: Width D of the lexicon-aware features; unused here, every TACL gets it.
        temperature: tau of Eq. 5.
        across_videos: Negatives also come from the other videos of the batch.
        loss_weight: Weight of the loss.
    """

    def __init__(
        self,
        *,
        dims: int,
        temperature: float = 0.1,
        across_videos: bool = False,
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__()
        self.temperature, self.across_videos = temperature, across_videos
        self.loss_weight = loss_weight

    def forward(
        self,
        aware: dict[str, LexiconAware],
        words: Tensor,
        is_valid: Tensor,
        present: dict[str, Tensor],
    ) -> dict[str, Tensor]:
        """Losses of both directions.

        Args:
            aware: Lexicon-aware features by stream, (BS, K, .).
            words: (B, S, K, Dl).
            is_valid: Bool (B, S, K), verified words.
            present: Bool (B,) by modality.

        Returns:
            ``loss_tacl_visual`` and ``loss_tacl_audio``, scalars.
        """
        shape = is_valid.shape[:2]
        projected = {name: x.projected.unflatten(0, shape) for name, x in aware.items()}
        losses = {}
        for name, other in (('visual', 'audio'), ('audio', 'visual')):
            values = tacl_loss(
                projected[name],
                words,
                projected[other],
                is_valid,
                temperature=self.temperature,
                others_present=present[other],
                across_videos=self.across_videos,
            )
            counts = is_valid & present[name][:, None, None]
            losses[f'loss_tacl_{name}'] = self.loss_weight * global_mean(values, counts)
        return losses


@MODELS.register_module()
class OfficialCPC(nn.Module):
    """What the official code trains instead of Eq. 5: predict one modality from the other.

    Each direction is an InfoNCE over all words of the batch on features passed through four
    convolutions along the words. The official code lost the loss's minus sign (``sign=-1``).

    Args:
        dims: Width D of the lexicon-aware features.
        sign: 1 for the loss as its authors meant it, -1 as the official code runs it.
        loss_weight: Weight of the loss.
    """

    def __init__(self, *, dims: int, sign: int = -1, loss_weight: float = 1.0) -> None:
        super().__init__()
        if sign not in (1, -1):
            raise ValueError(f'sign={sign}: choose 1 or -1')
        self.sign, self.loss_weight = sign, loss_weight

        def predictor() -> nn.Sequential:
            layers: list[nn.Module] = []
            for _ in range(4):
                layers += [nn.Conv1d(dims, dims, 3, padding=1), nn.ReLU()]
            return nn.Sequential(*layers)

        self.predict = nn.ModuleDict({'visual': predictor(), 'audio': predictor()})

    def forward(
        self,
        aware: dict[str, LexiconAware],
        words: Tensor,
        is_valid: Tensor,
        present: dict[str, Tensor],
    ) -> dict[str, Tensor]:
        """Losses of both directions; arguments as in :class:`TACL`."""
        both = (present['visual'] & present['audio'])[:, None, None]
        counts = (is_valid & both).flatten()
        losses = {}
        for name, other in (('visual', 'audio'), ('audio', 'visual')):
            predicted = self.predict[name](aware[other].features.transpose(1, 2)).transpose(1, 2)
            values = cpc_loss(predicted.flatten(0, 1), aware[name].features.flatten(0, 1), counts)
            losses[f'loss_cpc_{name}'] = self.loss_weight * self.sign * global_mean(values, counts)
        return losses
