"""TimeSformer (Bertasius et al., ICML 2021) of mmaction2, as a feature map."""

from __future__ import annotations

from mmengine.model import BaseModule
from torch import Tensor

from mart_mm.registry import MODELS


@MODELS.register_module()
class TimeSformerMap(BaseModule):
    """mmaction2's TimeSformer, which returns its class token only; here its patches, as a map.

    For :class:`FeatureMapStream`.

    Args:
        img_size: Side of the square frames in pixels.
        num_frames: Frames T per segment.
        patch_size: Side of a patch in pixels.
        embed_dims: Width.
        depth: Number of blocks.
        num_heads: Attention heads.
        attention_type: ``'divided_space_time'`` or ``'joint_space_time'``.
        pretrained: Checkpoint of mmaction2 to start from.

    Raises:
        ValueError: For another ``attention_type`` (``'space_only'`` has no patches in time), or when
            the frames are no multiple of the patch.
    """

    def __init__(
        self,
        *,
        img_size: int = 224,
        num_frames: int = 8,
        patch_size: int = 16,
        embed_dims: int = 768,
        depth: int = 12,
        num_heads: int = 12,
        attention_type: str = 'divided_space_time',
        pretrained: str | None = None,
    ) -> None:
        super().__init__()
        if attention_type not in ('divided_space_time', 'joint_space_time'):
            raise ValueError(
                f"attention_type={attention_type!r}: choose 'divided_space_time' or "
                "'joint_space_time'"
            )
        if img_size % patch_size:
            raise ValueError(f'img_size={img_size} must be a multiple of patch_size={patch_size}')
        side = img_size // patch_size
        self.grid = (side, side, num_frames)  # tokens run along time first
        self.timesformer = MODELS.build(
            dict(
                type='TimeSformer',
                _scope_='mmaction',  # its layers are looked up there too
                img_size=img_size,
                num_frames=num_frames,
                patch_size=patch_size,
                embed_dims=embed_dims,
                num_transformer_layers=depth,
                num_heads=num_heads,
                attention_type=attention_type,
                pretrained=pretrained,
            )
        )

    def forward(self, x: Tensor) -> Tensor:
        """Feature map (n, embed_dims, T, h, w) of frames (n, 3, T, H, W)."""
        outputs: list[Tensor] = []
        hook = self.timesformer.norm.register_forward_hook(lambda *args: outputs.append(args[-1]))
        try:
            self.timesformer(x)
        finally:
            hook.remove()
        tokens = outputs[0][:, 1:].unflatten(1, self.grid)  # (n, h, w, T, embed_dims)
        return tokens.permute(0, 4, 3, 1, 2)
