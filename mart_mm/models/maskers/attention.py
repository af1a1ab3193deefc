"""Masking by attention: AttMask (Kakogeorgiou et al., ECCV 2022), MST (Li et al., NeurIPS 2021)."""

from __future__ import annotations

import torch
from torch import Tensor

from mart_mm.models.maskers.base import check_ratio, share_of
from mart_mm.models.maskers.ranked import RankedMasker, hide_all_but_hints
from mart_mm.registry import MODELS

KINDS = ('high', 'hint', 'low')


@MODELS.register_module()
class AttentionMasker(RankedMasker):
    """Mask ``int(r N)`` tokens by the attention they get.

    The ratio grows with training: ``r = r_min + (r_max - r_min) * min(1, progress / ramp)``, as
    MART's does (paper Table 4: 10~50 for both).

    Args:
        kind: ``'high'``: the most attended (AttMask-High). ``'hint'``: the same, but
            ``int(reveal_ratio * r N)`` random ones among the leading ``reveal_pool`` of all tokens are
            revealed again (AttMask-Hint). ``'low'``: the least attended, so that crucial ones are never
            hidden (AttMask-Low; MST with every candidate hidden).
        r_min: Ratio at the start.
        r_max: Ratio at the end.
        ramp: Share of the pretraining stage over which the ratio grows.
        reveal_ratio: Of ``'hint'``: revealed over ranked tokens.
        reveal_pool: Of ``'hint'``: the leading share of all tokens that may be revealed.
        mask_prob: Probability that a segment is masked at all (AttMask: 0.5). Below 1, segments
            hide different numbers of tokens, so they cannot be dropped.

    Raises:
        ValueError: For ratios out of range or another ``kind``.
    """

    def __init__(
        self,
        *,
        kind: str,
        r_min: float = 0.1,
        r_max: float = 0.5,
        ramp: float = 0.5,
        reveal_ratio: float = 0.1,
        reveal_pool: float = 0.1,
        mask_prob: float = 1.0,
    ) -> None:
        super().__init__(r_min=r_min, r_max=r_max, ramp=ramp, mask_prob=mask_prob)
        if kind not in KINDS:
            raise ValueError(f'kind={kind!r}: choose one of {KINDS}')
        self.kind = kind
        self.reveal_ratio = check_ratio('reveal_ratio', reveal_ratio)
        self.reveal_pool = check_ratio('reveal_pool', reveal_pool)

    def num_hidden_if_masked(self, num_tokens: int, progress: float) -> int:
        """See :class:`RankedMasker`."""
        ratio = self.ratio(progress)
        ranked = share_of(num_tokens, ratio)
        if self.kind != 'hint':
            return ranked
        return ranked - share_of(num_tokens, ratio * self.reveal_ratio)

    def hide(self, ranks: Tensor, progress: float, generator: torch.Generator | None) -> Tensor:
        """See :class:`RankedMasker`."""
        count, ratio = ranks.shape[1], self.ratio(progress)
        ranked = share_of(count, ratio)
        if self.kind == 'high':
            return ranks < ranked
        if self.kind == 'low':
            return ranks >= count - ranked
        revealed = share_of(count, ratio * self.reveal_ratio)
        return hide_all_but_hints(ranks, ranked, revealed, self.reveal_pool, generator)
