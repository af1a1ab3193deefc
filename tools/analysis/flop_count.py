"""Count floating-point operations of a model without computing anything.

Tensors on torch's ``meta`` device have shapes and no values, so ViT-B on 12 segments takes seconds.
Only the masks' values matter: they decide how many tokens enter the masked pass. Masks stay real
tensors, everything else is ``meta``, and :class:`ShapesOnly` lets the two meet.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import prod

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map
from torch.utils.flop_counter import FlopCounterMode

from mart_mm.models.affective.lexicon_attention import LexiconAttention
from mart_mm.models.affective.tacl import TACL, OfficialCPC
from mart_mm.models.decoders.blocks import QueryAttention
from mart_mm.models.layers.patches import PatchProjection
from mart_mm.models.layers.transformer import Attention

PARTS = ('visual', 'audio', 'fusion', 'head', 'attention_tacl', 'decoders', 'target_heads', 'other')


class ShapesOnly(TorchDispatchMode):
    """Operations that see a ``meta`` tensor run on ``meta``, those on real tensors alone for real.

    So the index of visible tokens is computed from a real mask, and gathering with it, from tokens
    that have no values, yields the right shape.
    """

    def __torch_dispatch__(
        self, func: Callable, types: object, args: tuple = (), kwargs: dict | None = None
    ) -> object:
        """Run one operation."""
        kwargs = kwargs or {}
        leaves, _ = tree_flatten((args, kwargs))
        if any(isinstance(leaf, Tensor) and leaf.is_meta for leaf in leaves):
            args, kwargs = tree_map(_to_meta, (args, kwargs))
        return func(*args, **kwargs)


def _to_meta(leaf: object) -> object:
    if isinstance(leaf, Tensor) and not leaf.is_meta:
        return leaf.to('meta')
    return leaf


def part_of(name: str, fusion_layer: int | None) -> str:
    """Part of the recogniser that a parameter or module belongs to.

    Args:
        name: Its dotted name in the recogniser.
        fusion_layer: First block in which the streams exchange bottlenecks, or None.
    """
    words = name.split('.')
    if words[0] == 'backbone' and len(words) > 1:
        is_block = len(words) > 3 and words[2] == 'blocks' and words[3].isdigit()
        if is_block and fusion_layer is not None and int(words[3]) >= fusion_layer:
            return 'fusion'
        return words[1] if words[1] in ('visual', 'audio') else 'fusion'
    if words[0] in ('head', 'temporal_cam'):
        return 'head'
    if words[0] == 'pretext' and len(words) > 1:
        if words[1] in ('attention', 'tacl', 'verifier', 'aux_classifier'):
            return 'attention_tacl'
        if words[1] == 'branches' and len(words) > 3:
            return {'decoder': 'decoders', 'targets': 'target_heads'}.get(words[3], 'other')
    return 'other'


class PartCounter:
    """Count a recogniser's operations by part, as torch counts them and by formulas of our own.

    A multiplication with its addition counts as two operations. The formulas know linear layers,
    convolutions and this package's attention and losses.

    Args:
        model: Recogniser.

    Attributes:
        flops: Operations by part, as ``FlopCounterMode`` counts them.
        analytic: Operations by formula.
    """

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.fusion_layer = getattr(model.backbone, 'fusion_layer', None)
        self._counter = FlopCounterMode(display=False)
        self._by_part: dict[str, int] = defaultdict(int)
        #: running modules, outermost first: part, total on entry, what its inner modules took
        self._running: list[list] = []
        self.analytic = 0

    @property
    def total(self) -> int:
        """All operations so far, as torch counts them."""
        return self._counter.get_total_flops()

    def flops(self) -> dict[str, int]:
        """Operations so far by part; what no module of a part did is ``other``."""
        counts = {part: self._by_part[part] for part in PARTS}
        counts['other'] += self.total - sum(counts.values())
        return counts

    @contextmanager
    def counting(self) -> Iterator[PartCounter]:
        """Count what runs inside."""
        hooks = []
        for name, module in self.model.named_modules():
            part = part_of(name, self.fusion_layer)
            if name and part != 'other':
                hooks.append(module.register_forward_pre_hook(self._enter(part)))
                hooks.append(module.register_forward_hook(self._leave))
            # other libraries derive their own convolutions
            formula = next((FORMULAS[c] for c in type(module).__mro__ if c in FORMULAS), None)
            if formula is not None:
                hooks.append(module.register_forward_hook(self._apply(formula), with_kwargs=True))
        try:
            # the outer counter sees what ShapesOnly passes on
            with torch.no_grad(), self._counter, ShapesOnly():
                yield self
        finally:
            for hook in hooks:
                hook.remove()

    def _enter(self, part: str) -> Callable:
        def hook(module: nn.Module, args: tuple) -> None:
            self._running.append([part, self.total, 0])

        return hook

    def _leave(self, module: nn.Module, args: tuple, output: object) -> None:
        part, start, inner = self._running.pop()
        took = self.total - start
        self._by_part[part] += took - inner
        if self._running:
            self._running[-1][2] += took

    def _apply(self, formula: Callable) -> Callable:
        def hook(module: nn.Module, args: tuple, kwargs: dict, output: object) -> None:
            self.analytic += formula(module, args, kwargs, output)

        return hook


def _linear(module: nn.Linear | PatchProjection, args: tuple, kwargs: dict, output: Tensor) -> int:
    return 2 * output.numel() * module.in_features


def _convolution(module: nn.Conv3d, args: tuple, kwargs: dict, output: Tensor) -> int:
    return 2 * output.numel() * (module.in_channels // module.groups) * prod(module.kernel_size)


def _attention(module: Attention, args: tuple, kwargs: dict, output: tuple) -> int:
    batch, length, dims = args[0].shape
    rows = 0 if output[1] is None else output[1].shape[1]
    joint_projection = 2 * batch * length * dims * 3 * dims  # its weight is used without its module
    return joint_projection + 2 * batch * dims * length * (2 * length + rows)


def _query_attention(module: QueryAttention, args: tuple, kwargs: dict, output: Tensor) -> int:
    queries, context = args
    batch, length, dims = context.shape
    joint_projection = 2 * batch * (queries.shape[1] + 2 * length) * dims**2
    return joint_projection + 4 * batch * dims * queries.shape[1] * length


def _lexicon_attention(module: LexiconAttention, args: tuple, kwargs: dict, output: tuple) -> int:
    segments, num_words, num_tokens = output.attention.shape
    return 4 * segments * num_words * num_tokens * output.features.shape[-1]


def _tacl(module: TACL, args: tuple, kwargs: dict, output: dict) -> int:
    num_videos, num_segments, num_words, dims = args[1].shape
    rows = num_segments * num_words
    pairs = (num_videos * rows) ** 2 if module.across_videos else num_videos * rows**2
    return 2 * 2 * pairs * dims


def _cpc(module: OfficialCPC, args: tuple, kwargs: dict, output: dict) -> int:
    dims = next(iter(args[0].values())).features.shape[-1]
    return 2 * 2 * args[2].numel() ** 2 * dims


#: matrix products outside linear layers and convolutions belong to the module that does them
FORMULAS: dict[type[nn.Module], Callable] = {
    nn.Linear: _linear,
    PatchProjection: _linear,
    nn.Conv1d: _convolution,
    nn.Conv2d: _convolution,
    nn.Conv3d: _convolution,
    Attention: _attention,
    QueryAttention: _query_attention,
    LexiconAttention: _lexicon_attention,
    TACL: _tacl,
    OfficialCPC: _cpc,
}
