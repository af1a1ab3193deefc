import pytest
import torch
from torch import Tensor, nn

from mart_mm.models.decoders.base import DecodedTokens, split_indices
from mart_mm.models.decoders.blocks import TrailingBlock
from mart_mm.models.decoders.positions import GridPositions, axial_table
from mart_mm.models.layers.positions import sinusoid_table
from mart_mm.models.layers.transformer import Block
from mart_mm.registry import MODELS

GRID = (2, 3, 3)


def build(kind: str = 'TransformerDecoder', **kwargs: object) -> nn.Module:
    config = dict(type=kind, in_dims=12, grid=GRID, with_mask_token=True)
    if kind != 'LinearDecoder':
        config |= dict(dims=16, depth=2, num_heads=2)
    decoder = MODELS.build(config | kwargs).eval()
    for parameter in decoder.parameters():
        parameter.data = parameter.data + 0.1 * torch.randn_like(parameter)
    return decoder


def masked_batch(hidden: int = 11) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """All tokens, those visible, the segments' features, the mask."""
    tokens = torch.randn(4, 18, 12)
    is_masked = torch.rand(4, 18).argsort(1) < hidden
    visible = torch.stack([x[~m] for x, m in zip(tokens, is_masked, strict=True)])
    return tokens, visible, torch.randn(4, 12), is_masked


def in_order(decoded: DecodedTokens) -> Tensor:
    full = torch.full((len(decoded.features), 18, decoded.features.shape[-1]), float('nan'))
    for row, index in enumerate(decoded.index):
        full[row, index] = decoded.features[row]
    return full


def plain_blocks(decoder: nn.Module, x: Tensor) -> Tensor:
    """Blocks and norm of a transformer decoder by the encoders' block."""
    for weights in decoder.blocks:
        block = Block(16, num_heads=2).eval()
        block.load_state_dict(weights.state_dict())
        x, _ = block(x)
    return decoder.norm(x)


def test_split_indices() -> None:
    is_masked = torch.tensor([[1, 0, 1, 0, 0], [0, 0, 0, 1, 1]]).bool()
    visible, hidden = split_indices(is_masked, 3)
    assert visible.tolist() == [[1, 3, 4], [0, 1, 2]]
    assert hidden.tolist() == [[0, 2], [3, 4]]


def test_trailing_block_is_the_block() -> None:
    trailing, block = TrailingBlock(16, num_heads=2), Block(16, num_heads=2)
    block.load_state_dict(trailing.state_dict())
    x = torch.randn(3, 9, 16)
    for count in (1, 4, 9):
        torch.testing.assert_close(trailing(x, count), block(x)[0][:, 9 - count :])


def test_positions() -> None:
    flat = GridPositions((2, 3, 3), 8, 'flat')()
    torch.testing.assert_close(flat, sinusoid_table(18, 8)[0])
    learned = GridPositions((2, 3, 3), 8, 'learned')
    for t in range(2):
        for place in range(9):
            expected = learned.first[t, 0] + learned.others[0, place]
            assert torch.equal(learned()[9 * t + place], expected)
    assert GridPositions((5,), 8, 'learned')().shape == (5, 8)
    table = axial_table((3, 4), 8)  # half of the channels tell the row, half the column
    for row in range(3):
        for column in range(4):
            place = [k / 10000 ** (i / 2) for k in (row, column) for i in (0, 1)]
            expected = [f(x) for x in torch.tensor(place) for f in (torch.sin, torch.cos)]
            torch.testing.assert_close(table[4 * row + column], torch.stack(expected))
    assert axial_table((2, 3, 3), 20).unique(dim=0).shape == (18, 20)
    with pytest.raises(ValueError, match='at least 6'):
        axial_table((2, 3, 3), 4)
    with pytest.raises(ValueError, match='positions='):
        GridPositions((2, 3), 8, 'sincos')


@pytest.mark.parametrize('positions', ['flat', 'axial', 'learned'])
@pytest.mark.parametrize('class_token', [None, 'encoder', 'own'])
def test_equals_the_sequence_in_order(positions: str, class_token: str | None) -> None:
    """As MAE does it: mask tokens put among the visible ones, every token through every block."""
    decoder = build(positions=positions, class_token=class_token)
    _, visible, embed, is_masked = masked_batch()
    decoded = decoder(visible, embed, is_masked, is_dropped=True)
    for row in range(4):
        x = decoder.mask_token[0].repeat(18, 1)
        x[~is_masked[row]] = decoder.embed(visible[row])
        x = x + decoder.positions()
        if class_token == 'encoder':
            x = torch.cat([decoder.embed(embed[row])[None], x])
        elif class_token == 'own':
            x = torch.cat([decoder.own_token[0], x])
        x = plain_blocks(decoder, x[None])[0]
        if class_token:
            torch.testing.assert_close(decoded.embed[row], x[0])
            x = x[1:]
        torch.testing.assert_close(in_order(decoded)[row], x)
        assert not is_masked[row, decoded.index[row, : decoded.num_visible]].any()
        assert is_masked[row, decoded.index[row, decoded.num_visible :]].all()
    if class_token is None:
        assert decoded.embed is None
    only = decoder(visible, embed, is_masked, is_dropped=True, with_visible=False)
    torch.testing.assert_close(only.features, decoded.hidden().features)
    assert torch.equal(only.index, decoded.hidden().index)


def test_keeps_or_overwrites_tokens_that_were_not_dropped() -> None:
    tokens, visible, embed, is_masked = masked_batch()
    late = build()
    shown = late(tokens, embed, is_masked, is_dropped=False)
    assert shown.index is None and shown.num_visible == 0
    dropped = late(visible, embed, is_masked, is_dropped=True)
    torch.testing.assert_close(shown.features, in_order(dropped))
    keeping = build(with_mask_token=False)
    expected = plain_blocks(keeping, keeping.embed(tokens) + keeping.positions())
    got = keeping(tokens, embed, is_masked, is_dropped=False).features
    torch.testing.assert_close(got, expected)


@pytest.mark.parametrize('is_dropped', [True, False])
def test_decodes_a_subset(is_dropped: bool) -> None:
    """VideoMAE V2: visible tokens, then mask tokens at the chosen places, even visible ones."""
    decoder = build()
    tokens, visible, embed, is_masked = masked_batch()
    index = torch.rand(4, 18).argsort(1)[:, :7]
    given = visible if is_dropped else tokens
    decoded = decoder(given, embed, is_masked, is_dropped=is_dropped, index=index)
    assert decoded.num_visible == 0 and torch.equal(decoded.index, index)
    assert (~decoded.pick(is_masked)).any()
    positions = decoder.positions()
    for row in range(4):
        x = torch.cat(
            [
                decoder.embed(visible[row]) + positions[~is_masked[row]],
                decoder.mask_token[0] + positions[index[row]],
            ]
        )
        expected = plain_blocks(decoder, x[None])[0, -7:]
        torch.testing.assert_close(decoded.features[row], expected)


def test_prompting_equals_mmpretrain() -> None:
    from mmpretrain.models.necks.milan_neck import MILANPretrainDecoder

    theirs = MILANPretrainDecoder(
        num_patches=18,
        embed_dim=12,
        decoder_embed_dim=16,
        decoder_depth=2,
        decoder_num_heads=2,
        predict_feature_dim=16,
    ).eval()
    ours = build('PromptingDecoder')
    nn.init.eye_(theirs.decoder_pred.weight)
    nn.init.zeros_(theirs.decoder_pred.bias)
    theirs.decoder_pos_embed.data[0, 1:] = ours.positions()
    theirs.mask_token.data = ours.mask_token.data
    for a, b in (('decoder_embed', 'embed'), ('decoder_norm', 'norm')):
        theirs.get_submodule(a).load_state_dict(ours.get_submodule(b).state_dict())
    for a, b in zip(theirs.decoder_blocks, ours.blocks, strict=True):
        q, kv = b.attn.qkv.weight.data.split((16, 32))
        a.attn.q.weight.data, a.attn.kv.weight.data = q, kv
        a.attn.q.bias.data = b.attn.q_bias.data
        a.attn.kv.bias.data = torch.cat([torch.randn(16), b.attn.v_bias.data])
        a.attn.proj.load_state_dict(b.attn.proj.state_dict())
        a.ln1.load_state_dict(b.norm1.state_dict())
        a.ln2.load_state_dict(b.norm2.state_dict())
        a.ffn.layers[0][0].load_state_dict(b.mlp[0].state_dict())
        a.ffn.layers[1].load_state_dict(b.mlp[2].state_dict())

    tokens, visible, embed, is_masked = masked_batch()
    order = torch.stack([torch.cat([(~m).nonzero(), m.nonzero()]).flatten() for m in is_masked])
    expected = theirs(
        torch.cat([embed[:, None], visible], 1), order.argsort(1), order[:, :7], order[:, 7:]
    )
    decoded = ours(visible, embed, is_masked, is_dropped=True)
    torch.testing.assert_close(in_order(decoded), expected[:, 1:])
    torch.testing.assert_close(decoded.embed, expected[:, 0])
    only = ours(visible, embed, is_masked, is_dropped=True, with_visible=False)
    torch.testing.assert_close(only.features, decoded.hidden().features)
    whole = ours(tokens, embed, is_masked, is_dropped=False)
    torch.testing.assert_close(whole.features, decoded.features)


def test_linear() -> None:
    tokens, _, embed, is_masked = masked_batch()
    norm = build('LinearDecoder', with_mask_token=False)
    got = norm(tokens, embed, is_masked, is_dropped=False)
    assert norm.dims == 12 and got.index is None
    mean, var = tokens.mean(-1, keepdim=True), tokens.var(-1, unbiased=False, keepdim=True)
    expected = (tokens - mean) / (var + 1e-6).sqrt() * norm.norm.weight + norm.norm.bias
    torch.testing.assert_close(got.features, expected)
    bare = build('LinearDecoder', with_mask_token=False, norm=False)
    assert not list(bare.parameters())
    assert torch.equal(bare(tokens, embed, is_masked, is_dropped=False).features, tokens)
    with pytest.raises(ValueError, match='mask_mode'):
        build('LinearDecoder')


def test_bad_arguments() -> None:
    with pytest.raises(ValueError, match='depth=0'):
        build(depth=0)
    with pytest.raises(ValueError, match='class_token'):
        build(class_token='mean')


@pytest.mark.parametrize('kind', ['TransformerDecoder', 'PromptingDecoder'])
def test_every_parameter_learns(kind: str) -> None:
    decoder = build(kind)
    _, visible, embed, is_masked = masked_batch()
    decoder(visible, embed, is_masked, is_dropped=True, with_visible=False).features.square().sum(
    ).backward()  # fmt: skip
    for name, parameter in decoder.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name
