"""A frozen CLIP image encoder: what MILAN recovers, and where it looks (Hou et al., 2022)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from mart_mm.models.backbones.base import StreamSpec
from mart_mm.models.layers.modes import full_precision

if TYPE_CHECKING:
    from transformers import CLIPVisionModelWithProjection


class CLIPOutput(NamedTuple):
    """What CLIP says about ``n`` pictures of ``L = rows * columns`` patches.

    Attributes:
        features: (n, 1 + L, dims) after the output projection, the class token first; float32.
        attention: (n, L) attention of the class token on the patches in the last layer, averaged over
            heads; float32. The rest of each row's sum of 1 is the class token's attention on itself.
        grid: (rows, columns).
    """

    features: Tensor
    attention: Tensor
    grid: tuple[int, int]


class FrozenCLIP:
    """CLIP's vision transformer, never trained.

    It is no ``nn.Module``, so it stands in no state dict, optimiser or parameter count of whoever holds
    it, and copies of the holder share it. The model is loaded at the first call, so configs build
    without weights. Nothing is kept between calls.

    Args:
        name_or_path: Name on the Hugging Face hub, or a local folder.
        dims: Width of the features after the projection; checked when it is loaded.
        mean: Of the pictures' channels on the scale 0-1. ImageNet's, since MILAN's code gives CLIP
            the pixels as its student sees them; CLIP's own: (0.4815, 0.4578, 0.4082).
        std: Likewise; CLIP's own: (0.2686, 0.2613, 0.2758).
        config: Arguments of ``transformers.CLIPVisionConfig`` for a model with random weights (the
            same ones each time) instead of a pretrained one, to try a config out; ``name_or_path`` is
            not used then.
    """

    def __init__(
        self,
        *,
        name_or_path: str = 'openai/clip-vit-base-patch16',
        dims: int = 512,
        mean: tuple[float, float, float] = (0.485, 0.456, 0.406),
        std: tuple[float, float, float] = (0.229, 0.224, 0.225),
        config: dict | None = None,
    ) -> None:
        self.name_or_path, self.dims, self.config = name_or_path, dims, config
        self.mean, self.std = mean, std
        self._model: CLIPVisionModelWithProjection | None = None

    def __deepcopy__(self, memo: dict) -> FrozenCLIP:
        return self

    def load(self) -> None:
        """Load the model, unless it is there.

        Raises:
            OSError: When it cannot be loaded, with the remedy.
            ValueError: When its width is not ``dims``.
        """
        if self._model is not None:
            return
        from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

        if self.config is not None:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(0)
                model = CLIPVisionModelWithProjection(CLIPVisionConfig(**self.config))
        else:
            try:
                model = CLIPVisionModelWithProjection.from_pretrained(self.name_or_path)
            except (OSError, ValueError) as error:
                raise OSError(
                    f'CLIP {self.name_or_path!r} cannot be loaded ({error}). Download it on a machine '
                    'with network and give its folder as clip.name_or_path'
                ) from error
        width = model.config.projection_dim
        if width != self.dims:
            raise ValueError(
                f'CLIP {self.name_or_path!r} has features of width {width}: set clip.dims={width}'
            )
        self._model = model.eval().requires_grad_(False)

    @torch.no_grad()
    def __call__(self, pictures: Tensor) -> CLIPOutput:
        """Encode pictures of any size; they are resized to CLIP's (bicubic).

        Args:
            pictures: (n, 3, H, W) on the scale 0-255, RGB.

        Raises:
            OSError: See :meth:`load`.
            ValueError: Likewise.
        """
        self.load()
        model = self._model.to(pictures.device)
        encoder = model.vision_model
        keys, queries = [], []
        attention = encoder.encoder.layers[-1].self_attn
        hooks = [
            attention.q_proj.register_forward_hook(lambda *args: queries.append(args[-1])),
            attention.k_proj.register_forward_hook(lambda *args: keys.append(args[-1])),
        ]
        try:
            states = encoder(pixel_values=self._prepare(pictures)).last_hidden_state
        finally:
            for hook in hooks:
                hook.remove()
        features = model.visual_projection(encoder.post_layernorm(states)).float()
        side = model.config.image_size // model.config.patch_size
        heads = model.config.num_attention_heads
        return CLIPOutput(features, _class_row(queries[0], keys[0], heads), (side, side))

    def _prepare(self, pictures: Tensor) -> Tensor:
        size = self._model.config.image_size
        x = pictures.float() / 255
        if tuple(x.shape[2:]) != (size, size):
            x = F.interpolate(
                x, size=(size, size), mode='bicubic', align_corners=False, antialias=True
            ).clamp(0, 1)
        return (x - x.new_tensor(self.mean).view(3, 1, 1)) / x.new_tensor(self.std).view(3, 1, 1)


def _class_row(queries: Tensor, keys: Tensor, num_heads: int) -> Tensor:
    """Attention (n, L) of the first of (n, 1 + L, D) queries on all keys but the first."""
    query = (
        queries[:, :1].float().unflatten(-1, (num_heads, -1)).transpose(1, 2)
    )  # (n, heads, 1, d)
    key = keys.float().unflatten(-1, (num_heads, -1)).transpose(1, 2)
    with full_precision(query.device):
        scores = query @ key.transpose(-2, -1) * query.shape[-1] ** -0.5
    weights = scores.softmax(-1)
    return weights.mean(1)[:, 0, 1:]


def first_frames(pixels: Tensor, stream: StreamSpec) -> Tensor:
    """The first frame of each tubelet.

    Args:
        pixels: (B, S, 3, T, H, W).
        stream: Geometry of the visual stream.

    Returns:
        (BS * t, 3, H, W).

    Raises:
        ValueError: For another stream than one of frames.
    """
    if len(stream.grid) != 3:
        raise ValueError(
            f'CLIP sees pictures; the stream has the grid {stream.grid}: use it for the visual stream'
        )
    starts = torch.arange(stream.grid[0], device=pixels.device) * stream.stride[0]
    frames = pixels.flatten(0, 1).index_select(2, starts.clamp(max=pixels.shape[3] - 1))
    return frames.transpose(1, 2).flatten(0, 1)


def pool_to_grid(x: Tensor, grid: tuple[int, int], stream: StreamSpec) -> Tensor:
    """Average CLIP's patches over the tokens of a visual stream.

    Args:
        x: (BS * t, L, D), patches of the pictures of :func:`first_frames`, without the class token.
        grid: CLIP's (rows, columns).
        stream: Geometry of the visual stream, of grid (t, h, w).

    Returns:
        (BS, N, D).
    """
    picture = x.transpose(1, 2).unflatten(2, grid)  # (BS * t, D, rows, columns)
    pooled = F.adaptive_avg_pool2d(picture, stream.grid[1:])
    return pooled.flatten(2).transpose(1, 2).unflatten(0, (-1, stream.grid[0])).flatten(1, 2)
