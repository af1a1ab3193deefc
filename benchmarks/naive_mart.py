"""MART's official losses, computed without thinking about cost: the yardstick of ``step_mart.py``.

Losses, parameters and random numbers are those of a recogniser built from ``configs/mart/parity/``.
What the released code does and ours does not: every layer builds its attention map and keeps it to the
end; the decoder, its head and the targets (with numpy, on the host) cover every token of every segment,
also of those that hide nothing; the text encoder runs with gradient, each time anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mart_mm.models.backbones.base import BackboneOutput, join_streams
from mart_mm.models.backbones.mbt import MBT
from mart_mm.models.backbones.vit_stream import TransformerStream
from mart_mm.models.layers.token_masking import replace_masked
from mart_mm.models.layers.transformer import Block
from mart_mm.models.losses.reduce import global_mean
from mart_mm.models.pretext.recovery_branch import RecoveryBranch
from mart_mm.models.recognizers.affective import AffectiveRecognizer
from mart_mm.models.text_encoders.bert import BertTextEncoder
from mart_mm.structures.affective_data_sample import AffectiveDataSample


def block_with_map(block: Block, x: Tensor, maps: list[Tensor]) -> Tensor:
    """A transformer block whose attention map is built, and kept in ``maps``.

    Args:
        block: Whose parameters are used.
        x: (B, L, D).
        maps: Gets the map, (B, heads, L, L).

    Returns:
        (B, L, D).
    """
    attn = block.attn
    bias = torch.cat([attn.q_bias, torch.zeros_like(attn.q_bias), attn.v_bias])
    qkv = F.linear(block.norm1(x), attn.qkv.weight, bias)
    q, k, v = qkv.unflatten(-1, (3, attn.num_heads, -1)).permute(2, 0, 3, 1, 4).unbind(0)
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)
    maps.append(scores.softmax(-1))
    x = x + attn.proj((maps[-1] @ v).transpose(1, 2).flatten(2))
    return x + block.mlp(block.norm2(x))


class NaiveRecognizer:
    """What MART's pretext asks a recogniser for, with every attention map built and kept.

    Args:
        recognizer: Whose parameters are used; its backbone is an MBT.
    """

    def __init__(self, recognizer: AffectiveRecognizer) -> None:
        self.backbone: MBT = recognizer.backbone
        self.head, self.temporal_cam = recognizer.head, recognizer.temporal_cam
        self.maps: list[Tensor] = []

    def extract_feat(self, inputs: dict, **_: object) -> BackboneOutput:
        """The backbone's output with both attentions, as from an unmasked pass."""
        mbt = self.backbone
        v = mbt.visual.embed(inputs['imgs'].flatten(0, 1), None, 'drop')
        a = mbt.audio.embed(inputs['audios'].flatten(0, 1), None, 'drop')
        share = mbt._share(inputs['present'], inputs['imgs'].shape[1])
        bottleneck = mbt.bottleneck.expand(len(v), -1, -1)
        length_v, length_a = v.shape[1], a.shape[1]
        for index in range(mbt.depth):
            if index >= mbt.fusion_layer:
                v, a = torch.cat([v, bottleneck], 1), torch.cat([a, bottleneck], 1)
            v = self._run(mbt.visual, index, v)
            visual_map = self.maps[-1]
            a = self._run(mbt.audio, index, a)
            audio_map = self.maps[-1]
            if index >= mbt.fusion_layer:
                bottleneck = share * v[:, length_v:] + (1 - share) * a[:, length_a:]
                v, a = v[:, :length_v], a[:, :length_a]
        rows = [
            attention.mean(1)[:, : stream.attention_rows]
            for stream, attention in ((mbt.visual, visual_map), (mbt.audio, audio_map))
        ]
        outputs = dict(visual=mbt.visual.finish(v, rows[0]), audio=mbt.audio.finish(a, rows[1]))
        return join_streams(outputs, mbt)

    def _run(self, stream: TransformerStream, index: int, x: Tensor) -> Tensor:
        with torch.set_grad_enabled(torch.is_grad_enabled() and index >= stream.frozen_stages):
            return block_with_map(stream.blocks[index], x, self.maps)


def numpy_patches(pixels: Tensor, patch: tuple[int, int, int]) -> Tensor:
    """Tubelets on the host: scaled to [0, 1], each channel of each normalised (VideoMAE).

    Args:
        pixels: uint8 (BS, 3, T, H, W).
        patch: (frames, height, width).

    Returns:
        float32 (BS, N, patch elements * 3) on the device of the pixels.
    """
    x = pixels.cpu().numpy().astype(np.float32) / 255
    batch, channels, *extents = x.shape
    shape = [batch, channels]
    for extent, size in zip(extents, patch, strict=True):
        shape += [extent // size, size]
    x = x.reshape(shape).transpose(0, 2, 4, 6, 3, 5, 7, 1)  # (BS, t, h, w, p0, p1, p2, 3)
    x = x.reshape(batch, -1, int(np.prod(patch)), channels)
    mean, std = x.mean(2, keepdims=True), x.std(2, keepdims=True, ddof=1)
    x = (x - mean) / (std + 1e-6)
    return torch.from_numpy(x.reshape(*x.shape[:2], -1)).to(pixels.device)


def patch_loss(
    branch: RecoveryBranch,
    tokens: Tensor,
    is_masked: Tensor,
    pixels: Tensor,
    is_present: Tensor,
    maps: list[Tensor],
) -> Tensor:
    """Decode all tokens of all segments, predict and build all patches, then count the hidden ones.

    Args:
        branch: Of the frames, with a transformer decoder and one target of pixels.
        tokens: (BS, N, D).
        is_masked: Bool (BS, N).
        pixels: uint8 (BS, 3, T, H, W).
        is_present: Bool (BS,).
        maps: Gets the decoder's attention maps.
    """
    decoder, target = branch.decoder, branch.targets[0]
    x = replace_masked(decoder.embed(tokens), is_masked, decoder.mask_token)
    x = x + decoder.positions()
    for block in decoder.blocks:
        x = block_with_map(block, x, maps)
    predicted = target.head(decoder.norm(x)).float()
    error = (predicted - numpy_patches(pixels, branch.stream.patch)).square().mean(-1)
    return target.loss_weight * global_mean(error, is_masked & is_present[:, None])


def words_with_gradient(
    encoder: BertTextEncoder, samples: Sequence[AffectiveDataSample], is_valid: Tensor
) -> Tensor:
    """Features (B, S, K, Dl) of the cues, from a text encoder that is trained and keeps nothing.

    Args:
        encoder: With its model loaded, whose parameters need gradients.
        samples: Of B videos.
        is_valid: Bool (B, S, K).
    """
    texts = [text for sample in samples for text in sample.texts]
    spans = [
        tuple(tuple(cue['span']) for cue in cues) for sample in samples for cues in sample.cues
    ]
    segments = encoder._encode(list(zip(texts, spans, strict=True)), is_valid.device)
    num_cues = is_valid.shape[-1]
    rows = [F.pad(states, (0, 0, 0, num_cues - len(states))) for states in segments]
    return torch.stack(rows).unflatten(0, is_valid.shape[:2]).to(is_valid.device)


def naive_losses(
    model: AffectiveRecognizer, data: dict, features: Callable[[], Tensor] | None = None
) -> dict[str, Tensor]:
    """The losses of a recogniser built from the parity config.

    Args:
        model: The recogniser.
        data: Batch as the data preprocessor returns it.
        features: Makes the cues' features; None takes those of the batch.

    Returns:
        Losses by name, as the recogniser's own.
    """
    inputs, samples = dict(data['inputs']), data['data_samples']
    if features is not None:
        inputs['cues'] = dict(inputs['cues'], features=features())
    pretext, present = model.pretext, inputs['present']
    naive = NaiveRecognizer(model)
    view = pretext.view(naive, inputs)
    labels = model.labels(samples)
    cues = inputs['cues']
    losses = dict(model.head.loss(view.features, labels, present))
    losses |= pretext.aux_classifier(
        view.aware, cues['valid'], labels, model.head.polarity, present
    )
    losses |= pretext.tacl(view.aware, cues['features'], view.is_verified, present)
    is_masked = pretext.choose(view)['visual']
    pixels = inputs['pixels'].flatten(0, 1)
    losses['loss_patch_visual'] = patch_loss(
        pretext.branches['visual'],
        view.output.visual_tokens,
        is_masked,
        pixels,
        present['visual'].repeat_interleave(inputs['imgs'].shape[1]),
        naive.maps,
    )
    return losses


def trainable(encoder: BertTextEncoder) -> nn.Module:
    """The encoder's model, made to need gradients."""
    return encoder._model.requires_grad_(True)
