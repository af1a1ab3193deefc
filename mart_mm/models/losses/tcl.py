"""The contrasts of triple contrastive learning (Yang et al., CVPR 2022), and its masked words."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from mart_mm.models.layers.modes import full_precision

#: stands for "no key" among logits; finite, so that a row without keys has a gradient of 0
_NONE = -1e30


def soft_contrast(
    queries: Tensor,
    keys: Tensor,
    is_key: Tensor,
    temperature: Tensor,
    *,
    momentum_queries: Tensor | None = None,
    soft_share: float = 0.0,
) -> Tensor:
    """Cross-entropy of each query against its keys; key i belongs to query i.

    The target is ``(1 - soft_share)`` on key i and, for the rest, what the momentum encoder finds
    similar (cross-modal alignment). With ``soft_share=0`` it is InfoNCE (the contrast within a modality).

    Args:
        queries: (B, D), unit vectors.
        keys: (B + Q, D), unit vectors without gradient: those of the batch, then those of the queue.
        is_key: Bool (B, B + Q), keys that a query is compared with; its own must be among them.
        temperature: Scalar.
        momentum_queries: (B, D), the momentum encoder's queries; only read for a soft target.
        soft_share: Share of the soft target.

    Returns:
        (B,), 0 for queries that have no key but their own.
    """
    with full_precision(queries.device):
        logits = (queries.float() @ keys.float().T / temperature).masked_fill(~is_key, _NONE)
        with torch.no_grad():
            target = torch.eye(*is_key.shape, device=logits.device)
            if soft_share:
                similar = momentum_queries.float() @ keys.float().T / temperature
                soft = similar.masked_fill(~is_key, _NONE).softmax(1)
                target = (1 - soft_share) * target + soft_share * soft
        return -(target * logits.log_softmax(1)).sum(1)


def local_contrast(
    queries: Tensor, parts: Tensor, is_part: Tensor, is_other: Tensor, temperature: Tensor
) -> Tensor:
    """Each part of a sample against the parts of all others, seen from the sample's global feature.

    InfoNCE, a lower bound on the mutual information of the whole and its parts: for each
    own part ``-log(e^own / (e^own + sum over the others' parts))``, averaged over the parts.

    Args:
        queries: (B, D), global features, unit vectors.
        parts: (B, P, D), local features of the momentum encoder, unit vectors.
        is_part: Bool (B, P), False for padding.
        is_other: Bool (B, B), samples whose parts are negatives of a query.
        temperature: Scalar.

    Returns:
        (B,), 0 for samples without parts or without negatives.
    """
    with full_precision(queries.device):
        logits = torch.einsum('id,jpd->ijp', queries.float(), parts.float()) / temperature
        is_negative = is_other[:, :, None] & is_part[None]  # (B, B, P)
        negatives = logits.masked_fill(~is_negative, _NONE).flatten(1).logsumexp(1)  # (B,)
        own = logits.diagonal(dim1=0, dim2=1).T  # (B, P)
        losses = torch.logaddexp(own, negatives[:, None]) - own
        weight = is_part.float()
        return (losses * weight).sum(1) / weight.sum(1).clamp(min=1)


@torch.no_grad()
def hard_negatives(similarity: Tensor, is_candidate: Tensor) -> tuple[Tensor, Tensor]:
    """Draw one negative per row, the more similar the more often.

    Args:
        similarity: (B, B), logits.
        is_candidate: Bool (B, B), what may be drawn.

    Returns:
        Long (B,), the columns drawn (the row itself where there is no candidate), and bool (B,),
        whether there was a candidate.
    """
    has_candidate = is_candidate.any(1)
    itself = torch.eye(len(similarity), dtype=torch.bool, device=similarity.device)
    may_be_drawn = is_candidate | (itself & ~has_candidate[:, None])
    chances = similarity.float().masked_fill(~may_be_drawn, _NONE).softmax(1)
    return torch.multinomial(chances, 1)[:, 0], has_candidate


class MaskedWords(NamedTuple):
    """Words some of which are to be guessed.

    Attributes:
        ids: Long (B, L), what the encoder sees.
        is_masked: Bool (B, L), words to be guessed.
    """

    ids: Tensor
    is_masked: Tensor


@torch.no_grad()
def mask_words(
    ids: Tensor,
    is_word: Tensor,
    *,
    ratio: float,
    mask_id: int,
    vocab_size: int,
    generator: torch.Generator | None = None,
) -> MaskedWords:
    """Choose words as BERT does: of those chosen 80 % are masked, 10 % replaced, 10 % left as they are.

    Args:
        ids: Long (B, L).
        is_word: Bool (B, L), tokens that may be chosen.
        ratio: Probability of being chosen.
        mask_id: Id of the mask token.
        vocab_size: Random words are drawn below this.
        generator: Of the device of ``ids``; None takes the global one.
    """

    def draw() -> Tensor:
        return torch.rand(ids.shape, device=ids.device, generator=generator)

    is_masked = (draw() < ratio) & is_word
    kind = draw()
    random = torch.randint(vocab_size, ids.shape, device=ids.device, generator=generator)
    seen = torch.where(is_masked & (kind < 0.8), mask_id, ids)
    return MaskedWords(torch.where(is_masked & (kind >= 0.9), random, seen), is_masked)


def word_losses(
    logits: Tensor, words: Tensor, momentum_logits: Tensor, soft_share: float
) -> Tensor:
    """Cross-entropy with the hidden word, and with what the momentum encoder would say.

    Args:
        logits: (n, V).
        words: Long (n,).
        momentum_logits: (n, V), without gradient.
        soft_share: Share of the soft target.

    Returns:
        (n,).
    """
    log_chances = logits.float().log_softmax(1)
    hard = -log_chances.gather(1, words[:, None])[:, 0]
    soft = -(momentum_logits.float().softmax(1) * log_chances).sum(1)
    return (1 - soft_share) * hard + soft_share * soft


def matching_losses(logits: Tensor, is_match: Tensor) -> Tensor:
    """Cross-entropy of "does this text belong to this video".

    Args:
        logits: (n, 2): no, yes.
        is_match: Bool (n,).

    Returns:
        (n,).
    """
    return F.cross_entropy(logits.float(), is_match.long(), reduction='none')
