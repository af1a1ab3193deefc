"""The supervised baselines: their configs run in every stage, their parts equal independent ones."""

import copy
import re
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mart_mm.models.backbones.hara_resnet3d import HaraResNet3d
from mart_mm.models.backbones.mbt_language import segment_text
from mart_mm.models.backbones.msaf import MSAFAudioCNN
from mart_mm.models.backbones.msaf_fusion import MSAFFusion
from mart_mm.models.backbones.spectrogram_resnet import SpectrogramResNet
from mart_mm.models.backbones.two_stream import encode_present
from mart_mm.models.backbones.vaanet import VAANetVisualStream
from mart_mm.models.layers.present import RowBatchNorm, on_present
from mart_mm.models.layers.residual import PICTURE, Bottleneck, residual_layer
from mart_mm.models.recognizers.affective import AffectiveRecognizer, TrainingStage
from mart_mm.models.weights import WeightsError
from mart_mm.registry import MODELS

CONFIGS = Path(__file__).resolve().parents[3] / 'configs'
ROWS = {
    'vaanet': 'vaanet', 'vaanet_ast': 'vaanet', 'msaf': 'msaf', 'tfn': 'tfn',
    'tfn_concat': 'tfn', 'cten': 'cten', 'mbt_language': 'mbt_language',
}  # fmt: skip
rows = pytest.mark.parametrize('row', ROWS)


def config(row: str, prefix: str = '', data: str = 'planted') -> Config:
    return Config.fromfile(CONFIGS / ROWS[row] / f'{prefix}{row}_{data}.py')


def build(row: str, prefix: str = '') -> AffectiveRecognizer:
    cfg = config(row, prefix)
    init_default_scope(cfg.default_scope)
    model = MODELS.build(cfg.model)
    model.init_weights()
    return model


def make(helpers: object, **kwargs: object) -> dict:
    return helpers.batch(num_segments=6, size=48, frames=4, mel_frames=80, **kwargs)


def pick(x: object, video: int) -> object:
    """One video of a batch's inputs."""
    if isinstance(x, dict):
        return {key: pick(value, video) for key, value in x.items()}
    return x[video : video + 1]


@rows
def test_mart_is_the_only_difference(row: str) -> None:
    """Its pretext is that of MART on MBT, and the rest of the model is the baseline's."""
    for data in ('planted', 'ekman6'):
        plain, taught = (config(row, prefix, data).model.to_dict() for prefix in ('', 'mart_'))
        pretext = taught.pop('pretext')
        assert taught == plain
        main = Config.fromfile(CONFIGS / 'mart' / f'mart_mbt_{data}.py')
        assert pretext == main.model.pretext.to_dict()


@rows
def test_trains_in_every_stage(helpers: object, row: str) -> None:
    """Two steps in each; every parameter learns, and those of the pretext only while it teaches."""
    model = build(row, 'mart_')
    model.pretext.mask_progress, model.pretext.verify_level = 0.5, 0
    batch = make(helpers, audio=(True, True))
    learnt: dict[str, set[str]] = {}
    for stage in ('pretrain', 'finetune'):
        model.stage = TrainingStage(stage, 1, 1)
        model.data_preprocessor.encode_cues = stage == 'pretrain'  # as StageSwitchHook does
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
        learnt[stage] = set()
        for _ in range(2):
            losses = model(**model.data_preprocessor(batch, True), mode='loss')
            total, _ = model.parse_losses(losses)
            optimizer.zero_grad()
            total.backward()
            learnt[stage] |= {
                name
                for name, p in model.named_parameters()
                if p.grad is not None and p.grad.abs().sum() > 0
            }
            optimizer.step()
    names = {name for name, _ in model.named_parameters()}
    assert learnt['pretrain'] == names
    masks = {name for name in names if 'mask_token' in name}
    ours = {name for name in names if not name.startswith('pretext.')}
    assert learnt['finetune'] == ours - masks


@rows
def test_supervised_config_is_the_second_stage(helpers: object, row: str) -> None:
    plain, taught = build(row).eval(), build(row, 'mart_').eval()
    plain.load_state_dict(taught.state_dict(), strict=False)
    taught.stage = TrainingStage('finetune', 1, 1)
    losses = [
        model(**model.data_preprocessor(make(helpers), True), mode='loss')
        for model in (plain, taught)
    ]
    assert losses[0].keys() == losses[1].keys()
    for name in losses[0]:
        torch.testing.assert_close(losses[0][name], losses[1][name])


@rows
def test_batch_of_two_equals_two_batches_of_one(helpers: object, row: str) -> None:
    model = build(row).eval()
    both = make(helpers, audio=(True, False))
    predictions = [
        (sample.pred_scores.clone(), sample.temporal_scores.clone())
        for sample in model.val_step(copy.deepcopy(both))
    ]
    for video in range(2):
        single = dict(
            inputs=pick(both['inputs'], video), data_samples=[both['data_samples'][video]]
        )
        sample = model.val_step(single)[0]
        torch.testing.assert_close(sample.pred_scores, predictions[video][0])
        torch.testing.assert_close(sample.temporal_scores, predictions[video][1])
    assert (predictions[0][0] - predictions[1][0]).abs().max() > 0


@rows
def test_absent_sound_leaves_no_trace(helpers: object, row: str) -> None:
    """Whatever stands in its place; neither in losses nor in batch statistics."""
    results = []
    for noise in (0.0, 50.0):
        torch.manual_seed(0)
        model = build(row)
        torch.manual_seed(1)
        data = model.data_preprocessor(make(helpers, audio=(True, False)), True)
        data['inputs']['audios'][1] = noise
        losses = model(**data, mode='loss')
        model.parse_losses(losses)[0].backward()
        results.append((losses, dict(model.named_buffers()), model))
    (first, buffers, model), (second, others, _) = results
    for name in first:
        torch.testing.assert_close(first[name], second[name])
    for name, buffer in buffers.items():
        torch.testing.assert_close(buffer, others[name], msg=name)
    # and with no sound at all in the batch
    silent = make(helpers, audio=(False, False))
    losses = model(**model.data_preprocessor(silent, True), mode='loss')
    assert torch.isfinite(model.parse_losses(losses)[0])
    samples = model.eval().val_step(silent)
    assert all(torch.isfinite(sample.pred_scores).all() for sample in samples)
    if row != 'mbt_language':  # its streams have losses of their own
        assert set(first) >= {'loss_cls_fused'}


def test_batch_statistics_are_those_of_present_segments_alone() -> None:
    x, is_present = torch.randn(4, 3, 5), torch.tensor([True, False, True, False])
    ours, plain = RowBatchNorm(5), RowBatchNorm(5)
    out = on_present(ours, x, is_present)
    expected = plain(x[is_present])
    torch.testing.assert_close(out[is_present], expected)
    assert (out[~is_present] == 0).all()
    torch.testing.assert_close(ours.running_mean, plain.running_mean)
    before = ours.running_var.clone()
    assert (on_present(ours, x, torch.zeros(4, dtype=torch.bool)) == 0).all()
    assert torch.equal(ours.running_var, before)
    assert ours.training


def test_row_batch_norm_equals_two_dimensional_one() -> None:
    x = torch.randn(3, 4, 5) * 2 + 1
    rows, plain = RowBatchNorm(5), torch.nn.BatchNorm1d(5)
    torch.testing.assert_close(rows(x), plain(x.transpose(1, 2)).transpose(1, 2))


def test_encode_present_keeps_order_and_masks(helpers: object) -> None:
    stream = MODELS.build(config('vaanet').model.backbone.visual).eval()
    x = torch.randn(4, 3, 4, 48, 48)
    is_masked = torch.rand(4, stream.spec.num_tokens) < 0.5
    whole = stream(x, is_masked=is_masked, return_attention=True)
    part = encode_present(
        stream, x, torch.tensor([False, True, True, False]), is_masked, return_attention=True
    )
    for got, expected in zip(part, whole, strict=True):
        torch.testing.assert_close(got[1:3], expected[1:3])
        assert (got[[0, 3]] == 0).all()


@pytest.mark.parametrize(('depth', 'strides'), [(18, (1, 2, 2, 2)), (50, (1, 2, 1, 1))])
def test_hara_resnet_equals_mmaction_with_its_max_pool(depth: int, strides: tuple) -> None:
    ours = HaraResNet3d(depth=depth, base_channels=8, strides=strides).eval()
    ours.init_weights()
    theirs = MODELS.build(
        dict(
            type='mmaction.ResNet3d',
            depth=depth,
            pretrained=None,
            base_channels=8,
            conv1_kernel=(7, 7, 7),
            pool1_stride_t=2,
            with_pool2=False,
            inflate_style='3x3x3',
            spatial_strides=strides,
            temporal_strides=strides,
        )
    )
    theirs.eval()  # returns nothing
    theirs.maxpool = torch.nn.MaxPool3d(3, 2, 1)
    state = {}
    for key, value in ours.state_dict().items():
        key = re.sub(r'\bconv(\d)\.', r'conv\1.conv.', key)
        key = re.sub(r'\bbn(\d)\.', r'conv\1.bn.', key)
        state[key.replace('sample.0', 'sample.conv').replace('sample.1', 'sample.bn')] = value
    theirs.load_state_dict(state)
    x = torch.randn(2, 3, 8, 48, 48)
    torch.testing.assert_close(ours(x), theirs(x), atol=1e-4, rtol=1e-4)


def test_resnext_layer_equals_mmpretrain() -> None:
    theirs = MODELS.build(dict(type='mmpretrain.ResNeXt', depth=50, groups=32, width_per_group=4))
    theirs.eval()
    ours = residual_layer(Bottleneck, PICTURE, 256, 128, 4, 2, cardinality=32).eval()
    ours.load_state_dict(theirs.layer2.state_dict())
    x = torch.randn(1, 256, 8, 8)
    torch.testing.assert_close(ours(x), theirs.layer2(x))


def test_spectrogram_resnet_equals_mmpretrain_but_for_the_stem() -> None:
    ours = SpectrogramResNet(base_channels=16).eval()
    theirs = MODELS.build(
        dict(
            type='mmpretrain.ResNet',
            depth=18,
            in_channels=1,
            stem_channels=16,
            base_channels=16,
            out_indices=(3,),
        )
    )
    theirs.eval()  # returns nothing
    theirs.conv1 = ours.conv1
    state = {}
    for key, value in ours.state_dict().items():
        if key.startswith('layers.'):
            _, index, rest = key.split('.', 2)
            key = f'layer{int(index) + 1}.{rest}'
        state[key] = value
    theirs.load_state_dict(state)
    x = torch.randn(2, 1, 64, 50)
    torch.testing.assert_close(ours(x), theirs(x)[0], atol=1e-4, rtol=1e-4)


def test_golden_grids_at_112_px() -> None:
    """METHODS 7: 3-D ResNet 2048 x 1 x 4 x 4; the sound's ResNet 8 x 4; MSAF's CNN a twelfth."""
    with torch.device('meta'):
        clip = torch.empty(1, 3, 16, 112, 112)
        assert HaraResNet3d(depth=101)(clip).shape == (1, 2048, 1, 4, 4)
        resnext = HaraResNet3d(depth=50, cardinality=32)
        assert resnext.run_part(0, clip).shape[1] == resnext.part_channels[0] == 1024
        assert resnext(clip).shape == (1, 2048, 1, 4, 4)
        assert resnext.layer1[0].conv2.weight.shape == (128, 4, 3, 3, 3)
        sound = torch.empty(1, 1, 128, 100)
        assert SpectrogramResNet()(sound).shape == (1, 512, 8, 4)
        assert MSAFAudioCNN()(sound).shape == (1, 64, 1, 12)


def test_published_weights_fill_every_layer(tmp_path: Path) -> None:
    source = HaraResNet3d(depth=18, base_channels=8)
    source.init_weights()
    state = {f'module.{key}': value for key, value in source.state_dict().items()}
    state |= {'module.fc.weight': torch.zeros(400, 64), 'module.fc.bias': torch.zeros(400)}
    path = str(tmp_path / 'resnet.pth')
    torch.save({'epoch': 1, 'state_dict': state}, path)
    loaded = HaraResNet3d(depth=18, base_channels=8, pretrained=path, frozen=True)
    loaded.init_weights()
    for name, value in loaded.state_dict().items():
        assert torch.equal(value, source.state_dict()[name])
    loaded.train()
    assert not loaded.bn1.training
    assert not any(p.requires_grad for p in loaded.parameters())
    with pytest.raises(WeightsError, match='Check depth'):
        HaraResNet3d(depth=34, base_channels=8, pretrained=path).init_weights()


@torch.no_grad()
def test_vaanet_stream_equals_plain_loops() -> None:
    """Spatial attention of mean 1 over places, then channel attention of mean 1, then the mean."""
    stream = VAANetVisualStream(
        encoder=dict(type='HaraResNet3d', depth=18, base_channels=4, strides=(1, 2, 1, 1)),
        input_shape=(4, 24, 24),
        embed_dims=6,
    )
    stream.train()
    stream(torch.randn(8, 3, 4, 24, 24))  # statistics other than 0 and 1
    stream.eval()
    x = torch.randn(2, 3, 4, 24, 24)
    features = stream.encoder(x)
    output = stream(x, return_attention=True)
    conv, norm, _ = stream.project
    places = stream.spec.num_tokens
    assert places == 9

    def normed(value: torch.Tensor, bn: torch.nn.Module, channel: int) -> torch.Tensor:
        std = (bn.running_var[channel] + bn.eps).sqrt()
        return (value - bn.running_mean[channel]) / std * bn.weight[channel] + bn.bias[channel]

    for row in range(2):
        cells = features[row].flatten(1)  # (channels, places)
        f = torch.stack(
            [normed(conv.weight[k] @ cells, norm, k).clamp(min=0) for k in range(6)]
        )  # (6, places)
        h = torch.stack(
            [
                torch.tanh(normed(stream.spatial.score.weight[0] @ f[:, m], stream.spatial.norm, 0))
                for m in range(places)
            ]
        )
        alpha = (stream.spatial.mix.weight @ h).softmax(0)
        g = f * alpha * places
        h = torch.stack(
            [
                torch.tanh(normed(stream.channel.score.weight[0] @ g[k], stream.channel.norm, 0))
                for k in range(6)
            ]
        )
        beta = (stream.channel.mix.weight @ h).softmax(0)
        expected = torch.stack([(g[k] * beta[k] * 6).mean() for k in range(6)])
        torch.testing.assert_close(output.embed[row], expected, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(output.attention[row], alpha, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(output.tokens[row], f.T, atol=1e-5, rtol=1e-5)


def fusion(**kwargs: object) -> MSAFFusion:
    """Two modalities of 10 and 4 channels in blocks of 4: 3 + 1 blocks, the third padded by 2."""
    module = MSAFFusion(dict(visual=10, audio=4), block_channels=4, reduction=2, **kwargs)
    torch.nn.init.uniform_(module.joint[1].running_mean, -1, 1)
    return module.eval()


def fusion_by_hand(module: MSAFFusion, video: torch.Tensor, sound: torch.Tensor | None) -> list:
    """MSAF of one sample, block by block: video (10, places), sound (4, places)."""
    blocks = [video[0:4], video[4:8], torch.cat([video[8:10], torch.zeros(2, video.shape[1])])]
    owners = ['visual'] * 3
    if sound is not None:
        blocks.append(sound)
        owners.append('audio')
    joint = torch.zeros(4)
    for owner in dict.fromkeys(owners):
        total = sum(block for block, o in zip(blocks, owners, strict=True) if o == owner)
        joint = joint + torch.stack([channel.mean() for channel in total])
    linear, norm, _ = module.joint
    hidden = linear(joint)
    hidden = (hidden - norm.running_mean) / (norm.running_var + norm.eps).sqrt()
    hidden = (hidden * norm.weight + norm.bias).clamp(min=0)
    scores = []
    for index in range(len(blocks)):
        rows = slice(4 * index, 4 * index + 4)
        scores.append(module.attend.weight[rows] @ hidden + module.attend.bias[rows])
    weights = torch.zeros(len(blocks), 4)
    for channel in range(4):
        total = sum(score[channel].exp() for score in scores)
        for index, score in enumerate(scores):
            weights[index, channel] = score[channel].exp() / total
    weights = module.lowest_attention + (1 - module.lowest_attention) * weights
    out = [block * weight[:, None] for block, weight in zip(blocks, weights, strict=True)]
    return [torch.cat(out[:3])[:10], out[3] if sound is not None else None]


@torch.no_grad()
@pytest.mark.parametrize('lowest', [0.0, 0.3])
def test_msaf_fusion_equals_plain_loops(lowest: float) -> None:
    module = fusion(lowest_attention=lowest)
    maps = dict(visual=torch.randn(3, 10, 2, 3, 3), audio=torch.randn(3, 4, 5))
    present = dict(visual=torch.tensor([True] * 3), audio=torch.tensor([True, False, True]))
    maps['audio'][1] = float('nan')  # nothing of it may be read
    out = module(maps, present)
    for row in range(3):
        sound = maps['audio'][row] if present['audio'][row] else None
        visual, audio = fusion_by_hand(module, maps['visual'][row].flatten(1), sound)
        torch.testing.assert_close(out['visual'][row].flatten(1), visual, atol=1e-6, rtol=1e-5)
        if audio is None:
            assert (out['audio'][row] == 0).all()
        else:
            torch.testing.assert_close(out['audio'][row], audio, atol=1e-6, rtol=1e-5)


@torch.no_grad()
def test_msaf_block_dropout_hides_whole_blocks_and_scales_once() -> None:
    module = fusion(block_dropout=0.5, lowest_attention=1.0)  # attention 1: what is left is dropout
    module.train()
    ones = dict(visual=torch.ones(200, 10, 3), audio=torch.ones(200, 4, 5))
    everything = torch.ones(200, dtype=torch.bool)
    out = module(ones, dict(visual=everything, audio=everything))
    assert set(out['visual'].unique().tolist()) == {0.0, 2.0}
    first = out['visual'][:, :4].flatten(1)
    assert (first.amin(1) == first.amax(1)).all()
    assert 0.35 < (first[:, 0] > 0).float().mean() < 0.65
    assert (out['visual'][:, 0] != out['visual'][:, 4]).any()
    torch.testing.assert_close(module.eval()(ones, dict(visual=everything, audio=everything)), ones)


def test_msaf_refuses_streams_in_one_part() -> None:
    cfg = config('msaf').model.backbone
    cfg.audio = config('vaanet').model.backbone.audio
    with pytest.raises(TypeError, match='use MSAFStream'):
        MODELS.build(cfg)


@torch.no_grad()
def test_language_leaves_picture_and_sound_alone(helpers: object) -> None:
    model = build('mbt_language').eval()
    cfg = copy.deepcopy(config('mbt_language').model.backbone)
    cfg.pop('text_dims')
    plain = MODELS.build(cfg | dict(type='MBT')).eval()
    plain.load_state_dict(model.backbone.state_dict(), strict=False)
    inputs = model.data_preprocessor(make(helpers))['inputs']
    output = model.extract_feat(inputs)
    expected = plain(inputs['imgs'], inputs['audios'], present=inputs['present'])
    torch.testing.assert_close(output.visual_embed, expected.visual_embed)
    torch.testing.assert_close(output.audio_tokens, expected.audio_tokens)
    text, is_valid = segment_text(inputs['cues'])
    assert is_valid.all()
    by_hand = torch.tanh(text @ model.backbone.text.weight.T + model.backbone.text.bias)
    torch.testing.assert_close(output.text_embed, by_hand)


@torch.no_grad()
@pytest.mark.parametrize('row', ['mbt_language', 'tfn'])
def test_videos_without_words_are_classified_by_the_rest(helpers: object, row: str) -> None:
    model = build(row).eval()
    batch = make(helpers)
    batch['inputs']['cues']['valid'][1] = False
    for cues in batch['data_samples'][1].cues:
        cues.clear()
    inputs = model.data_preprocessor(batch)['inputs']
    assert inputs['present']['text'].tolist() == [True, False]

    def scores(features: torch.Tensor) -> torch.Tensor:
        cues = dict(inputs['cues'], features=features)
        output = model.extract_feat(inputs | dict(cues=cues))
        return model.head.predict(model.head.segment_features(output, 6), inputs['present'])

    features = inputs['cues']['features']
    first, second = scores(features), scores(features + 10 * torch.randn_like(features))
    torch.testing.assert_close(first[1], second[1])
    assert (first[0] - second[0]).abs().max() > 1e-6


def test_text_needs_its_data_preprocessor(helpers: object) -> None:
    cfg = config('mbt_language').model
    init_default_scope('mart_mm')
    cfg.data_preprocessor.text_encoder.dims = 32
    with pytest.raises(ValueError, match='cues have 32 features'):
        MODELS.build(cfg).val_step(make(helpers))
    cfg.data_preprocessor.type = 'AffectiveDataPreprocessor'
    with pytest.raises(TypeError, match='LanguageDataPreprocessor'):
        MODELS.build(cfg)


@torch.no_grad()
def test_conv_stream_takes_encoders_of_other_packages() -> None:
    """Probing leaves them as they were; their token is the map's cell, their feature its mean."""
    stream = MODELS.build(
        dict(
            type='ConvStream',
            encoder=dict(type='mmaction.ResNet3dSlowOnly', depth=18, pretrained=None),
            input_shape=(2, 64, 64),
            embed_dims=512,
        )
    )
    assert all(not p.is_meta for p in stream.parameters())
    assert stream.encoder.training
    assert stream.spec.grid == (2, 2, 2)
    stream.eval()
    x = torch.randn(2, 3, 2, 64, 64)
    cells = stream.encoder(x)
    output = stream(x)
    torch.testing.assert_close(output.tokens[1, 5], cells[1, :, 1, 0, 1])
    torch.testing.assert_close(output.embed, cells.mean((2, 3, 4)))
