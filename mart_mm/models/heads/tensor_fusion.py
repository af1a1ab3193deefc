"""Tensor fusion (Zadeh et al., EMNLP 2017): the outer product of all modalities."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mart_mm.models.backbones.base import BackboneOutput
from mart_mm.models.heads.base import AffectiveHead, FusedHead
from mart_mm.models.heads.language import language_features
from mart_mm.models.layers.present import RowBatchNorm, for_segments, on_present
from mart_mm.registry import MODELS


def tensor_fusion(vectors: Sequence[Tensor]) -> Tensor:
    """Outer product of vectors that each got a 1 in front, flattened.

    It holds the constant 1, every vector, and all products of values of two or more vectors. A vector
    of zeros leaves the tensor of the others, so it is how an absent modality takes no part.

    Args:
        vectors: (n, d1), (n, d2), ...

    Returns:
        (n, (1 + d1) * (1 + d2) * ...), the last vector's index running fastest.
    """
    fused = vectors[0].new_ones(len(vectors[0]), 1)
    for vector in vectors:
        fused = torch.einsum('ni,nj->nij', fused, F.pad(vector, (1, 0), value=1.0)).flatten(1)
    return fused


class TextSubnet(nn.Module):
    """LSTM over the segments that have words; its last state, projected.

    Args:
        in_dims: Width of the words' features.
        hidden_dims: Width of the state.
        dims: Width of the result.
        dropout: Of the state.
    """

    def __init__(self, in_dims: int, hidden_dims: int, dims: int, dropout: float) -> None:
        super().__init__()
        self.lstm = nn.LSTM(in_dims, hidden_dims, batch_first=True)
        self.drop = nn.Dropout(dropout)
        self.out = nn.Linear(hidden_dims, dims)

    def forward(self, x: Tensor, is_valid: Tensor) -> Tensor:
        """Run.

        Args:
            x: (n, L, in_dims).
            is_valid: Bool (n, L), places that count.

        Returns:
            (n, dims), zero for rows without a valid place.
        """
        order = (~is_valid).to(torch.uint8).argsort(dim=1, stable=True)  # valid ones first
        states, _ = self.lstm(x.gather(1, order[..., None].expand_as(x)))
        counts = is_valid.sum(1)
        last = (counts - 1).clamp(min=0)[:, None, None].expand(-1, 1, states.shape[-1])
        # the state after the last valid place has not seen what comes behind it
        out = self.out(self.drop(states.gather(1, last)[:, 0]))
        return out * (counts > 0)[:, None]


@MODELS.register_module()
class TensorFusionHead(FusedHead):
    """Subnetworks of two or three modalities, their outer product, a network on it.

    Args:
        in_channels: Width D of the features of picture and sound.
        polarity: See :class:`AffectiveHead`.
        modalities: ``('visual', 'audio')``, or also ``'text'``.
        text_dims: Width of the words' features; needed with ``'text'``.
        hidden_dims: Width that each modality brings to the product.
        text_hidden_dims: Width of the text's LSTM.
        fusion_dims: Width of the network on the product.
        dropout: In the subnetworks and before the network.
        penalty: Lambda of PCCE; 0 is cross-entropy.
        label_smoothing: Of the cross-entropy.
        loss_weight: Weight of the loss.

    Raises:
        ValueError: For other modalities, or ``'text'`` without ``text_dims``.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        polarity: list[int],
        modalities: Sequence[str] = ('visual', 'audio', 'text'),
        text_dims: int | None = None,
        hidden_dims: int = 32,
        text_hidden_dims: int = 128,
        fusion_dims: int = 128,
        dropout: float = 0.2,
        penalty: float = 0.0,
        label_smoothing: float = 0.0,
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__(
            polarity=polarity,
            penalty=penalty,
            label_smoothing=label_smoothing,
            loss_weight=loss_weight,
        )
        self.modalities = tuple(modalities)
        if self.modalities not in (('visual', 'audio'), ('visual', 'audio', 'text')):
            raise ValueError(
                f"modalities={modalities}: choose ('visual', 'audio') or ('visual', 'audio', 'text')"
            )
        self.norms, self.subnets = nn.ModuleDict(), nn.ModuleDict()
        for name in self.modalities[:2]:
            self.norms[name] = RowBatchNorm(in_channels)
            layers: list[nn.Module] = [nn.Dropout(dropout)]
            for width in (in_channels, hidden_dims, hidden_dims):
                layers += [nn.Linear(width, hidden_dims), nn.ReLU()]
            self.subnets[name] = nn.Sequential(*layers)
        if 'text' in self.modalities:
            if text_dims is None:
                raise ValueError("modality 'text' needs text_dims, the text encoder's dims")
            self.subnets['text'] = TextSubnet(text_dims, text_hidden_dims, hidden_dims, dropout)
        self.network = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear((hidden_dims + 1) ** len(self.modalities), fusion_dims),
            nn.ReLU(),
            nn.Linear(fusion_dims, fusion_dims),
            nn.ReLU(),
            nn.Linear(fusion_dims, self.num_classes),
        )

    def segment_features(self, output: BackboneOutput, num_segments: int) -> dict[str, Tensor]:
        """See :class:`AffectiveHead`."""
        if 'text' in self.modalities:
            return language_features(output, num_segments)
        return AffectiveHead.segment_features(output, num_segments)

    def forward(
        self, features: dict[str, Tensor], present: dict[str, Tensor] | None = None
    ) -> dict[str, Tensor]:
        """Logits of the mean of the segments; see :class:`AffectiveHead`."""
        is_present = self.modality_present(features, present)
        vectors = []
        for name in self.modalities[:2]:
            x = on_present(self.norms[name], features[name], is_present[name]).mean(1)
            vectors.append(self.subnets[name](x) * is_present[name][:, None])
        if 'text' in self.modalities:
            is_valid = features['text_is_valid'] & is_present['text'][:, None]
            vectors.append(self.subnets['text'](features['text'], is_valid))
        return {'fused': self.network(tensor_fusion(vectors))}

    def segment_logits(
        self, features: dict[str, Tensor], present: dict[str, Tensor] | None = None
    ) -> dict[str, Tensor]:
        """Logits of each segment as if it were the whole video; see :class:`AffectiveHead`."""
        is_present = self.modality_present(features, present)
        shape = features['visual'].shape[:2]
        alone = {name: x.flatten(0, 1)[:, None] for name, x in features.items()}  # (BS, 1, .)
        rows = {name: for_segments(x, shape[1]) for name, x in is_present.items()}
        return {'fused': self(alone, rows)['fused'].unflatten(0, shape)}
