"""Plain transformer encoders of one modality: video ViT and audio spectrogram transformer."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from mart_mm.models.backbones.base import StreamEncoder, StreamOutput, StreamSpec, freeze
from mart_mm.models.layers.patches import PatchProjection, cut_patches
from mart_mm.models.layers.positions import sinusoid_table
from mart_mm.models.layers.token_masking import (
    check_mask_mode,
    gather_tokens,
    replace_masked,
    visible_indices,
)
from mart_mm.models.layers.transformer import Block, init_transformer
from mart_mm.models.weights import load_stream, read_state
from mart_mm.registry import MODELS


class TransformerStream(StreamEncoder):
    """Patches, positions, prefix tokens, blocks and a final norm.

    Args:
        spec: Geometry of the tokens.
        num_prefix: Tokens in front of the patches that summarise the segment; without any, the
            segment's feature is the mean of its tokens.
        embed_dims: Width D.
        depth: Number of blocks.
        num_heads: Attention heads.
        mlp_ratio: Hidden width of the MLPs over D.
        drop_path: Stochastic depth of the last block; grows linearly from 0.
        norm_eps: Epsilon of the layer norms.
        frozen_stages: Leading blocks that are not trained; with the first one, patches and
            positions are frozen too.
        mask_token: Create the learned token that ``mask_mode='token'`` needs.
        pretrained: Checkpoint of VideoMAE or AST, in any layout that
            :func:`mart_mm.models.weights.read_state` reads; loaded when weights are initialised.
        with_cp: Keep only the input of each block in training, and run it again for the gradient: a
            third more computation for a small part of the memory.
    """

    can_drop = True

    def __init__(
        self,
        spec: StreamSpec,
        *,
        num_prefix: int,
        embed_dims: int,
        depth: int,
        num_heads: int,
        mlp_ratio: float,
        drop_path: float,
        norm_eps: float,
        frozen_stages: int,
        mask_token: bool,
        pretrained: str | None,
        with_cp: bool,
    ) -> None:
        super().__init__()
        if not 0 <= frozen_stages <= depth:
            raise ValueError(
                f'frozen_stages={frozen_stages}: give a number from 0 to depth={depth}'
            )
        self.spec, self.num_prefix, self.embed_dims = spec, num_prefix, embed_dims
        self.frozen_stages, self.pretrained, self.with_cp = frozen_stages, pretrained, with_cp
        rates = torch.linspace(0, drop_path, depth).tolist()
        self.blocks = nn.ModuleList(
            Block(
                embed_dims, num_heads=num_heads, mlp_ratio=mlp_ratio, drop_path=r, norm_eps=norm_eps
            )
            for r in rates
        )
        self.norm = nn.LayerNorm(embed_dims, eps=norm_eps)
        self.mask_token = nn.Parameter(torch.zeros(1, 1, embed_dims)) if mask_token else None
        self.blocks.apply(init_transformer)

    def init_weights(self) -> None:
        """Load the pretrained weights, if any; the rest was initialised when it was built.

        Raises:
            WeightsError: When the checkpoint does not fit.
        """
        if self.pretrained:
            load_stream(self, read_state(self.pretrained), source=self.pretrained)

    @abstractmethod
    def cut_patches(self, x: Tensor) -> Tensor:
        """What the tokens are made of, (BS, N, values of a token), from the input."""

    @abstractmethod
    def project_patches(self, patches: Tensor) -> Tensor:
        """Tokens without positions, (..., D), from what they are made of."""

    def embed_patches(self, x: Tensor, index: Tensor | None = None) -> Tensor:
        """Tokens with their positions.

        Args:
            x: Input of :meth:`forward`.
            index: Long (BS, n), the only ones that are wanted; None: all N in their order.

        Returns:
            (BS, n, D).
        """
        patches, positions = self.cut_patches(x), self.positions
        if index is not None:
            patches, positions = gather_tokens(patches, index), F.embedding(index, positions[0])
        return self.project_patches(patches) + positions

    @abstractmethod
    def prefix_tokens(self) -> Tensor:
        """Prefix tokens with their positions, (1, num_prefix, D)."""

    def freeze_stages(self, *embeddings: nn.Module | nn.Parameter) -> None:
        """Take the leading blocks and the embeddings out of training."""
        if self.frozen_stages:
            freeze(*embeddings, *self.blocks[: self.frozen_stages])

    def embed(self, x: Tensor, is_masked: Tensor | None, mask_mode: str) -> Tensor:
        """Sequence that enters the first block.

        Positions are added before tokens are hidden.

        Args:
            x: Input of :meth:`forward`.
            is_masked: Bool (BS, N) or None.
            mask_mode: ``'drop'`` or ``'token'``.

        Returns:
            (BS, num_prefix + N or visible, D).

        Raises:
            ValueError: For an unknown mode, or ``'token'`` without a mask token.
        """
        check_mask_mode(mask_mode)
        index = None
        if is_masked is not None and mask_mode == 'drop':
            index = visible_indices(is_masked)
        tokens = self.embed_patches(x, index)  # (BS, N or visible, D)
        if is_masked is not None and mask_mode == 'token':
            if self.mask_token is None:
                raise ValueError(
                    "mask_mode='token' needs a mask token: build the stream with mask_token=True"
                )
            tokens = replace_masked(tokens, is_masked, self.mask_token + self.positions)
        prefix = self.prefix_tokens().expand(tokens.shape[0], -1, -1)
        return torch.cat([prefix, tokens], dim=1)

    def run_block(
        self, index: int, x: Tensor, attention_rows: int = 0
    ) -> tuple[Tensor, Tensor | None]:
        """Run block ``index``; a frozen one without gradient."""
        block = self.blocks[index]
        if block._compiled_call_impl is not None:
            # the number of visible tokens follows the mask ratio: one compiled form for all
            torch._dynamo.maybe_mark_dynamic(x, 1)
        if index < self.frozen_stages:
            with torch.no_grad():
                return block(x, attention_rows)
        if self.with_cp and self.training and torch.is_grad_enabled():
            return checkpoint(block, x, attention_rows, use_reentrant=False)
        return block(x, attention_rows)

    def finish(self, x: Tensor, attention: Tensor | None = None) -> StreamOutput:
        """Norm, and split the sequence into tokens and segment feature.

        Args:
            x: (BS, num_prefix + N, D), what the last block returned.
            attention: (BS, rows, at least num_prefix + N) of that block, or None; what others than the
                segment's own queries attended to is left out.
        """
        x = self.norm(x)
        prefix, tokens = x[:, : self.num_prefix], x[:, self.num_prefix :]
        embed = prefix.mean(1) if self.num_prefix else tokens.mean(1)
        if attention is not None:
            own = attention[:, : self.num_prefix or x.shape[1], self.num_prefix : x.shape[1]]
            attention = own.mean(1)  # (BS, N)
        return StreamOutput(tokens, embed, attention)

    @property
    def attention_rows(self) -> int:
        """Queries whose attention tells where the segment's feature looks (all without prefix)."""
        return self.num_prefix or self.spec.num_tokens

    def forward(
        self,
        x: Tensor,
        *,
        is_masked: Tensor | None = None,
        mask_mode: str = 'drop',
        return_attention: bool = False,
    ) -> StreamOutput:
        """Encode segments alone, without fusion; see :class:`StreamEncoder`."""
        x = self.embed(x, is_masked, mask_mode)
        attention = None
        for index in range(len(self.blocks)):
            last = index == len(self.blocks) - 1
            rows = self.attention_rows if return_attention and last else 0
            x, attention = self.run_block(index, x, rows)
        return self.finish(x, attention)


@MODELS.register_module()
class VideoViT(TransformerStream):
    """Vision transformer over tubelets with fixed sine-cosine positions.

    VideoMAE's encoder (Tong et al., NeurIPS 2022), with an optional class token whose position is
    zero, so that the patches keep the positions of VideoMAE's pretraining.

    Args:
        img_size: Side of the square frames in pixels.
        num_frames: Frames T per segment.
        patch_size: Side of a patch in pixels.
        tubelet_size: Frames per token.
        embed_dims: Width D.
        depth: Number of blocks.
        num_heads: Attention heads.
        mlp_ratio: Hidden width of the MLPs over D.
        cls_token: Whether a class token summarises the segment.
        cls_position: ``'zero'``, or ``'shift'``: the class token takes the first position and
            moves all patches by one, as the official MART code does.
        drop_path: Stochastic depth.
        norm_eps: Epsilon of the layer norms.
        frozen_stages: Leading blocks that are not trained.
        mask_token: Create the learned token that ``mask_mode='token'`` needs.
        pretrained: Checkpoint to start from.
        with_cp: Activation checkpointing, see :class:`TransformerStream`.

    Raises:
        ValueError: When sizes are no multiples of the patch, or for an unknown ``cls_position``.
    """

    def __init__(
        self,
        *,
        img_size: int = 112,
        num_frames: int = 16,
        patch_size: int = 16,
        tubelet_size: int = 2,
        embed_dims: int = 768,
        depth: int = 12,
        num_heads: int = 12,
        mlp_ratio: float = 4.0,
        cls_token: bool = True,
        cls_position: str = 'zero',
        drop_path: float = 0.0,
        norm_eps: float = 1e-6,
        frozen_stages: int = 0,
        mask_token: bool = False,
        pretrained: str | None = None,
        with_cp: bool = False,
    ) -> None:
        if img_size % patch_size or num_frames % tubelet_size:
            raise ValueError(
                f'img_size={img_size}, num_frames={num_frames} must be multiples of '
                f'patch_size={patch_size}, tubelet_size={tubelet_size}'
            )
        if cls_position not in ('zero', 'shift'):
            raise ValueError(f"cls_position={cls_position!r}: choose 'zero' or 'shift'")
        patch = (tubelet_size, patch_size, patch_size)
        shape = (num_frames, img_size, img_size)
        grid = tuple(extent // p for extent, p in zip(shape, patch, strict=True))
        super().__init__(
            StreamSpec(shape, grid, patch, patch),
            num_prefix=int(cls_token),
            embed_dims=embed_dims,
            depth=depth,
            num_heads=num_heads,
            mlp_ratio=mlp_ratio,
            drop_path=drop_path,
            norm_eps=norm_eps,
            frozen_stages=frozen_stages,
            mask_token=mask_token,
            pretrained=pretrained,
            with_cp=with_cp,
        )
        self.patch_embed = PatchProjection(3, patch, embed_dims)
        shift = int(cls_token and cls_position == 'shift')
        table = sinusoid_table(self.spec.num_tokens + shift, embed_dims)
        self.register_buffer('positions', table[:, shift:], persistent=False)
        self.cls_token = None
        if cls_token:
            self.cls_token = nn.Parameter(torch.empty(1, 1, embed_dims))
            nn.init.trunc_normal_(self.cls_token, std=0.02)
            first = table[:, :1] if shift else torch.zeros(1, 1, embed_dims)
            self.register_buffer('cls_positions', first, persistent=False)
        if self.mask_token is not None:
            nn.init.trunc_normal_(self.mask_token, std=0.02)
        self.freeze_stages(self.patch_embed)

    def cut_patches(self, x: Tensor) -> Tensor:
        """Tubelets of (BS, 3, T, H, W)."""
        if tuple(x.shape[2:]) != self.spec.input_shape:
            raise ValueError(
                f'segments of {tuple(x.shape[2:])} (T, H, W) do not fit a VideoViT built for '
                f'{self.spec.input_shape}: change img_size/num_frames or the pipeline'
            )
        spec = self.spec
        return cut_patches(x, spec.grid, spec.patch, spec.stride).flatten(2)

    def project_patches(self, patches: Tensor) -> Tensor:
        """See :class:`TransformerStream`."""
        return self.patch_embed(patches)

    def prefix_tokens(self) -> Tensor:
        """The class token, or nothing."""
        if self.cls_token is None:
            return self.positions[:, :0]
        return self.cls_token + self.cls_positions


@MODELS.register_module()
class AudioSpectrogramTransformer(TransformerStream):
    """AST (Gong et al., Interspeech 2021): overlapping patches of the log-mel, two prefix tokens.

    The class and the distillation token are averaged to the segment's feature. Tokens run along
    time within frequency: grid (frequency, time).

    Args:
        num_frames: Log-mel frames F per segment (10 ms each).
        num_mels: Mel bins.
        patch_size: Side of a patch.
        stride: Distance of patches; 10 overlaps, as AST does; ``patch_size`` does not.
        embed_dims: Width D.
        depth: Number of blocks.
        num_heads: Attention heads.
        mlp_ratio: Hidden width of the MLPs over D.
        drop_path: Stochastic depth.
        norm_eps: Epsilon of the layer norms.
        frozen_stages: Leading blocks that are not trained (official MART: 8 of 12).
        mask_token: Create the learned token that ``mask_mode='token'`` needs.
        pretrained: Checkpoint to start from.
        with_cp: Activation checkpointing, see :class:`TransformerStream`.

    Raises:
        ValueError: When the log-mel is smaller than a patch.
    """

    def __init__(
        self,
        *,
        num_frames: int = 100,
        num_mels: int = 128,
        patch_size: int = 16,
        stride: int = 10,
        embed_dims: int = 768,
        depth: int = 12,
        num_heads: int = 12,
        mlp_ratio: float = 4.0,
        drop_path: float = 0.0,
        norm_eps: float = 1e-6,
        frozen_stages: int = 0,
        mask_token: bool = False,
        pretrained: str | None = None,
        with_cp: bool = False,
    ) -> None:
        if min(num_frames, num_mels) < patch_size:
            raise ValueError(
                f'num_frames={num_frames}, num_mels={num_mels}: at least patch_size={patch_size}'
            )
        shape = (num_mels, num_frames)
        grid = tuple((extent - patch_size) // stride + 1 for extent in shape)
        super().__init__(
            StreamSpec(shape, grid, (patch_size,) * 2, (stride,) * 2),
            num_prefix=2,
            embed_dims=embed_dims,
            depth=depth,
            num_heads=num_heads,
            mlp_ratio=mlp_ratio,
            drop_path=drop_path,
            norm_eps=norm_eps,
            frozen_stages=frozen_stages,
            mask_token=mask_token,
            pretrained=pretrained,
            with_cp=with_cp,
        )
        self.patch_embed = PatchProjection(1, self.spec.patch, embed_dims)
        self.prefix = nn.Parameter(torch.empty(1, 2, embed_dims))
        self.prefix_positions = nn.Parameter(torch.zeros(1, 2, embed_dims))
        self.positions = nn.Parameter(torch.empty(1, self.spec.num_tokens, embed_dims))
        for tokens in (self.prefix, self.positions, self.mask_token):
            if tokens is not None:
                nn.init.trunc_normal_(tokens, std=0.02)
        self.freeze_stages(self.patch_embed, self.prefix, self.prefix_positions, self.positions)

    def cut_patches(self, x: Tensor) -> Tensor:
        """Patches of (BS, F, mel bins)."""
        if tuple(x.shape[1:]) != self.spec.input_shape[::-1]:
            raise ValueError(
                f'log-mel of {tuple(x.shape[1:])} (F, mel bins) does not fit an '
                f'AudioSpectrogramTransformer built for {self.spec.input_shape[::-1]}'
            )
        picture = x.transpose(1, 2)[:, None]  # (BS, 1, mel bins, F)
        spec = self.spec
        return cut_patches(picture, spec.grid, spec.patch, spec.stride)[:, :, 0]

    def project_patches(self, patches: Tensor) -> Tensor:
        """See :class:`TransformerStream`."""
        return self.patch_embed(patches)

    def prefix_tokens(self) -> Tensor:
        """Class and distillation token."""
        return self.prefix + self.prefix_positions
