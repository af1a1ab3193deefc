import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F
from transformers import (
    ASTConfig,
    ASTForAudioClassification,
    ASTModel,
    VideoMAEConfig,
    VideoMAEForPreTraining,
    VideoMAEForVideoClassification,
    VideoMAEModel,
)

from mart_mm.models.backbones.vit_stream import AudioSpectrogramTransformer, VideoViT
from mart_mm.models.layers.positions import fit_grid, sinusoid_table
from mart_mm.models.weights import WeightsError, load_stream, read_state

ROOT = Path(__file__).resolve().parents[2]
#: first words of what a checkpoint has beside the encoder
HEADS = ('decoder', 'encoder_to_decoder', 'mask_token', 'position_embeddings', 'classifier')
SIZES = dict(hidden_size=32, num_hidden_layers=3, num_attention_heads=4, intermediate_size=128)


def randomise(model: torch.nn.Module) -> torch.nn.Module:
    """Weights that make every term count: random biases, norms and prefix tokens too."""
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return model.eval()


@pytest.fixture
def videomae() -> VideoMAEModel:
    config = VideoMAEConfig(
        image_size=32, patch_size=8, num_frames=4, tubelet_size=2, use_mean_pooling=False, **SIZES
    )
    return randomise(VideoMAEModel(config))


@pytest.fixture
def ast_model() -> ASTModel:
    config = ASTConfig(max_length=100, **SIZES)
    return randomise(ASTModel(config))


def our_vit(**kwargs: object) -> VideoViT:
    sizes = dict(img_size=32, num_frames=4, patch_size=8, embed_dims=32, depth=3, num_heads=4)
    return VideoViT(**sizes | dict(cls_token=False, norm_eps=1e-12) | kwargs).eval()


def our_ast(**kwargs: object) -> AudioSpectrogramTransformer:
    sizes = dict(embed_dims=32, depth=3, num_heads=4, norm_eps=1e-12)
    return AudioSpectrogramTransformer(**sizes | kwargs).eval()


@torch.no_grad()
def test_videomae_equals_transformers(videomae: VideoMAEModel, tmp_path: Path) -> None:
    videomae.save_pretrained(tmp_path / 'hub')
    ours = our_vit(pretrained=str(tmp_path / 'hub'))
    ours.init_weights()
    clips = torch.randn(2, 3, 4, 32, 32)
    expected = videomae(clips.transpose(1, 2)).last_hidden_state
    torch.testing.assert_close(ours(clips).tokens, expected, atol=1e-5, rtol=1e-5)

    is_masked = torch.zeros(2, 32, dtype=torch.bool)
    for row in is_masked:
        row[torch.randperm(32)[:20]] = True
    expected = videomae(clips.transpose(1, 2), bool_masked_pos=is_masked).last_hidden_state
    got = ours(clips, is_masked=is_masked).tokens
    torch.testing.assert_close(got, expected, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_ast_equals_transformers(ast_model: ASTModel, tmp_path: Path) -> None:
    ast_model.save_pretrained(tmp_path / 'hub')
    ours = our_ast(pretrained=str(tmp_path / 'hub'))
    ours.init_weights()
    sound = torch.randn(2, 100, 128)
    expected = ast_model(sound)
    got = ours(sound)
    assert ours.spec.grid == (12, 9)
    torch.testing.assert_close(got.tokens, expected.last_hidden_state[:, 2:], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(got.embed, expected.pooler_output, atol=1e-5, rtol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize('kind', [VideoMAEForPreTraining, VideoMAEForVideoClassification])
@pytest.mark.parametrize('mean_pooling', [False, True])
def test_every_videomae_of_transformers(
    videomae: VideoMAEModel, tmp_path: Path, kind: type, mean_pooling: bool
) -> None:
    videomae.config.use_mean_pooling = mean_pooling
    model = randomise(kind(videomae.config))
    model.save_pretrained(tmp_path / 'hub')
    state = read_state(tmp_path / 'hub' / 'model.safetensors')
    ours = our_vit()
    if mean_pooling and kind is VideoMAEForPreTraining:  # such a model has no final norm at all
        with pytest.raises(WeightsError, match='norm.weight'):
            load_stream(ours, state, source='hub')
        return
    report = load_stream(ours, state, source='hub')
    assert not report.missing
    assert all(k.split('.')[0] in HEADS for k in report.unused)
    clips = torch.randn(2, 3, 4, 32, 32)
    expected = model.videomae(clips.transpose(1, 2)).last_hidden_state
    if mean_pooling:  # its norm stands behind the mean over tokens, ours in front of it
        expected = model.fc_norm(expected)
    torch.testing.assert_close(ours(clips).tokens, expected, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_ast_of_another_length_with_classifier(tmp_path: Path) -> None:
    model = randomise(ASTForAudioClassification(ASTConfig(max_length=1024, **SIZES)))
    model.save_pretrained(tmp_path / 'hub')
    ours = our_ast(pretrained=str(tmp_path / 'hub'))
    ours.init_weights()
    # the pretrained model, told the positions of its middle 9 of 101 columns
    embeddings = model.audio_spectrogram_transformer.embeddings
    table = embeddings.position_embeddings
    columns = [2 + 101 * row + column for row in range(12) for column in range(46, 55)]
    embeddings.position_embeddings = torch.nn.Parameter(table[:, [0, 1, *columns]])
    sound = torch.randn(2, 100, 128)
    expected = model.audio_spectrogram_transformer(sound).pooler_output
    torch.testing.assert_close(ours(sound).embed, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize('name', ['query', 'key', 'value'])
def test_half_an_attention_is_named(ast_model: ASTModel, tmp_path: Path, name: str) -> None:
    ast_model.save_pretrained(tmp_path / 'hub')
    state = read_state(tmp_path / 'hub')
    pattern = rf'\.1\..*({name}|{name[0]}_proj)\.weight$'
    lost = [key for key in state if re.search(pattern, key)]
    assert len(lost) == 1
    del state[lost[0]]
    with pytest.raises(WeightsError, match=rf'blocks\.1\.{name[0]}\.weight'):
        load_stream(our_ast(), state, source='hub')


def original_videomae_keys(ours: VideoViT) -> dict[str, torch.Tensor]:
    renamed = {}
    for key, value in ours.state_dict().items():
        key = key.replace('patch_embed.', 'patch_embed.proj.')
        key = key.replace('mlp.0', 'mlp.fc1').replace('mlp.2', 'mlp.fc2')
        renamed[f'module.encoder.{key}'] = value
    renamed['module.decoder.blocks.0.mlp.fc1.weight'] = torch.zeros(3, 3)
    return renamed


def test_original_videomae_layout(tmp_path: Path) -> None:
    source, target = randomise(our_vit()), our_vit()
    torch.save({'model': original_videomae_keys(source)}, tmp_path / 'videomae.pth')
    report = load_stream(target, read_state(tmp_path / 'videomae.pth'), source='videomae.pth')
    assert report.unused == ['module.decoder.blocks.0.mlp.fc1.weight']
    for key, value in source.state_dict().items():
        assert torch.equal(target.state_dict()[key], value), key


def test_original_ast_layout_drops_only_the_key_bias() -> None:
    source, target = randomise(our_ast()), our_ast()
    renamed = {
        'module.v.cls_token': source.prefix[:, :1],
        'module.v.dist_token': source.prefix[:, 1:],
        'module.v.pos_embed': torch.cat([source.prefix_positions, source.positions], 1),
        'module.mlp_head.1.weight': torch.zeros(527, 32),
    }
    for key, value in source.state_dict().items():
        if key.startswith('blocks'):
            key = key.replace('mlp.0', 'mlp.fc1').replace('mlp.2', 'mlp.fc2')
            if key.endswith('q_bias'):
                v_bias = source.state_dict()[key.replace('q_b', 'v_b')]
                joined = torch.cat([value, torch.randn(32), v_bias])
                renamed['module.v.' + key.replace('q_bias', 'qkv.bias')] = joined
            elif not key.endswith('v_bias'):
                renamed[f'module.v.{key}'] = value
        elif key.startswith('patch_embed'):
            renamed['module.v.' + key.replace('patch_embed', 'patch_embed.proj')] = value
        elif key.startswith('norm'):
            renamed[f'module.v.{key}'] = value
    report = load_stream(target, renamed, source='ast')
    assert report.unused == ['module.mlp_head.1.weight']
    for key, value in source.state_dict().items():
        assert torch.equal(target.state_dict()[key], value), key


def test_longer_ast_positions_are_cut_shorter_ones_interpolated() -> None:
    table = torch.randn(1, 12 * 101, 8)
    cut = fit_grid(table, (12, 101), (12, 9))
    torch.testing.assert_close(
        cut.unflatten(1, (12, 9)), table.unflatten(1, (12, 101))[:, :, 46:55]
    )
    stretched = fit_grid(table, (12, 101), (12, 202)).unflatten(1, (12, 202))
    expected = F.interpolate(
        table.unflatten(1, (12, 101)).permute(0, 3, 1, 2), size=(12, 202), mode='bilinear'
    ).permute(0, 2, 3, 1)
    torch.testing.assert_close(stretched, expected)


@pytest.mark.parametrize('broken', ['missing', 'shape', 'depth', 'decoder_only', 'no_bias'])
def test_what_does_not_fit_is_refused(broken: str) -> None:
    state = original_videomae_keys(our_vit())
    if broken == 'missing':
        del state['module.encoder.blocks.1.mlp.fc1.weight']
    elif broken == 'shape':
        state['module.encoder.norm.weight'] = torch.zeros(31)
    elif broken == 'depth':
        state = original_videomae_keys(our_vit(depth=4))
    elif broken == 'decoder_only':
        state = {key: value for key, value in state.items() if 'decoder' in key}
    else:
        state = {key: value for key, value in state.items() if not key.endswith('_bias')}
    named = dict(
        missing='mlp.0',
        shape='31',
        depth='blocks.3',
        decoder_only=r'blocks.0.norm1.*43',
        no_bias=r'no bias of query and value.*blocks\.0\.q\.bias.*blocks\.0\.v\.bias',
    )
    with pytest.raises(WeightsError, match=named[broken]):
        load_stream(our_vit(), state, source='file')


def test_code_in_a_checkpoint_is_refused(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple:
            return Path.touch, (tmp_path / 'ran',)

    torch.save({'state_dict': Evil()}, tmp_path / 'evil.pth')
    with pytest.raises(WeightsError, match=r'evil\.pth .*could run code'):
        read_state(tmp_path / 'evil.pth')
    assert not (tmp_path / 'ran').exists()


def test_converter_command(tmp_path: Path, videomae: VideoMAEModel) -> None:
    config = videomae.config
    VideoMAEForPreTraining(config).save_pretrained(tmp_path / 'hub')
    command = [sys.executable, 'tools/convert/convert_videomae.py', str(tmp_path / 'hub')]
    out = tmp_path / 'out.pth'
    done = subprocess.run([*command, str(out)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert '3 blocks' in done.stdout
    load_stream(our_vit(), read_state(out), source='out.pth')
    empty = tmp_path / 'empty.pth'
    torch.save({'head.weight': torch.zeros(2)}, empty)
    done = subprocess.run(
        [sys.executable, 'tools/convert/convert_videomae.py', str(empty), str(out)],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert 'patch_embed.weight' in done.stderr


def test_sinusoid_table_equals_plain_loop() -> None:
    dims = 6
    expected = np.zeros((5, dims))
    for position in range(5):
        for channel in range(dims):
            angle = position / 10000 ** (2 * (channel // 2) / dims)
            expected[position, channel] = np.sin(angle) if channel % 2 == 0 else np.cos(angle)
    torch.testing.assert_close(sinusoid_table(5, dims)[0], torch.from_numpy(expected).float())
