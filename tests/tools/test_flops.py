"""The tool's counts against torch's counter on a model that really computes."""

import copy
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

import mart_mm  # noqa: F401
from mart_mm.models.layers.transformer import Block
from mart_mm.models.recognizers.affective import AffectiveRecognizer, TrainingStage
from mart_mm.registry import MODELS
from tools.analysis.flop_count import PartCounter, ShapesOnly, part_of
from tools.analysis.flop_stages import StageCount, count_config, find_num_segments
from tools.analysis.flops import table

ROOT = Path(__file__).resolve().parents[2]
VIDEOS, SEGMENTS, CUES = 2, 3, 4


def tiny_config(helpers: SimpleNamespace, **pretext: object) -> Config:
    pipeline = [dict(type='SampleSegments', num_segments=SEGMENTS, clip_len=4)]
    model = dict(
        type='AffectiveRecognizer',
        data_preprocessor=dict(
            type='AffectiveDataPreprocessor',
            text_encoder=dict(type='LexiconVectorEncoder', dims=16),
        ),
        backbone=helpers.backbone(mask_token=pretext.get('mask_mode') == 'token'),
        head=dict(type='PolarityConsistentHead', polarity=helpers.polarity),
        pretext=helpers.pretext(**pretext),
    )
    return Config(
        dict(
            model=model,
            default_scope='mart_mm',
            train_dataloader=dict(dataset=dict(dataset=dict(pipeline=pipeline))),
        )
    )


def torch_count(cfg: Config, helpers: SimpleNamespace, stage: str, progress: float = 0.0) -> int:
    """FLOPs of the real loss on real numbers; the fused CPU attention is unknown to the counter."""
    model: AffectiveRecognizer = MODELS.build(cfg.model)
    model.stage = TrainingStage(stage, 1, 1)
    model.pretext.mask_progress = progress
    data = model.data_preprocessor(helpers.batch(VIDEOS, SEGMENTS, CUES), False)
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), counter:
        model.loss(data['inputs'], data['data_samples'])
    return counter.get_total_flops()


def count(cfg: Config, *progress: float) -> tuple[dict[str, int], dict[str, StageCount]]:
    parameters, stages = count_config(
        cfg, progress=progress or (0.0, 1.0), batch_size=VIDEOS, num_cues=CUES
    )
    return parameters, {stage.stage: stage for stage in stages}


def test_equals_the_counter_on_a_model_that_computes(helpers: SimpleNamespace) -> None:
    drop, token = tiny_config(helpers), tiny_config(helpers, mask_mode='token')
    _, stages = count(drop)
    assert stages['finetune'].total == torch_count(drop, helpers, 'finetune')
    for mode, cfg in (('drop', drop), ('token', token)):
        for progress in (0.0, 1.0):
            masked = stages[f'pretrain, masked pass, progress {progress:g}, {mode}']
            total = stages['pretrain, unmasked pass'].total + masked.total
            assert total == torch_count(cfg, helpers, 'pretrain', progress)
            assert masked.difference < 0.01
    assert max(stage.difference for stage in stages.values()) < 0.01


def test_drop_saves_and_tokens_do_not(helpers: SimpleNamespace) -> None:
    _, stages = count(tiny_config(helpers))
    drop = [stages[f'pretrain, masked pass, progress {p}, drop'] for p in (0, 1)]
    token = [stages[f'pretrain, masked pass, progress {p}, token'] for p in (0, 1)]
    assert drop[1].total < drop[0].total < token[0].total == token[1].total
    # Eq. 7 on 18 visual and 16 audio tokens: ceil(0.1 N), later ceil(0.5 N)
    assert drop[0].masked == pytest.approx(dict(visual=2 / 18, audio=2 / 16))
    assert drop[1].masked == pytest.approx(dict(visual=9 / 18, audio=8 / 16))


def test_parts_by_hand(helpers: SimpleNamespace) -> None:
    parameters, stages = count(tiny_config(helpers))
    flops = stages['finetune'].flops
    segments, dims, tokens = VIDEOS * SEGMENTS, 32, 19  # 2 x 3 x 3 patches and the class token

    def block(length: int) -> int:
        return 2 * length * dims * (3 + 1 + 8) * dims + 4 * length * length * dims

    patches = 2 * 18 * (3 * 2 * 8 * 8) * dims
    assert flops['visual'] == segments * (patches + block(tokens))
    assert flops['fusion'] == segments * (block(tokens + 2) + block(16 + 2 + 2))
    assert flops['head'] == 2 * VIDEOS * 2 * dims * 6
    assert flops['decoders'] == flops['target_heads'] == flops['attention_tacl'] == 0
    assert parameters['head'] == 2 * (6 * dims + 6)
    block_parameters = sum(p.numel() for p in Block(dims, num_heads=4).parameters())
    assert parameters['fusion'] == 2 * block_parameters + 2 * dims
    masked = stages['pretrain, masked pass, progress 0, token'].flops
    assert masked['target_heads'] == 2 * segments * 16 * (18 * 384 + 16 * 256 + 2 * 6)
    model = MODELS.build(tiny_config(helpers).model)
    assert sum(parameters.values()) == sum(p.numel() for p in model.parameters())
    assert parameters['other'] == 0


@pytest.mark.parametrize('across_videos', [False, True])
def test_tacl_formula(helpers: SimpleNamespace, across_videos: bool) -> None:
    tacl = dict(type='TACL', across_videos=across_videos)
    cfg = tiny_config(helpers, tacl=tacl)
    _, stages = count(cfg, 0.0)
    without = tiny_config(helpers, tacl=None)
    _, bare = count(without, 0.0)
    name = 'pretrain, unmasked pass'
    took = stages[name].flops['attention_tacl'] - bare[name].flops['attention_tacl']
    rows = SEGMENTS * CUES
    pairs = (VIDEOS * rows) ** 2 if across_videos else VIDEOS * rows**2
    assert took == 2 * 2 * pairs * 16
    assert stages[name].analytic - bare[name].analytic == took


def test_supervised_and_single_pass_configs(helpers: SimpleNamespace) -> None:
    cfg = tiny_config(helpers)
    cfg.model.pretext = None
    _, stages = count(cfg)
    assert list(stages) == ['finetune']
    cfg = tiny_config(
        helpers, type='RememberedAffectivePretext', num_videos=4, num_segments=SEGMENTS
    )
    _, stages = count(cfg)
    names = [f'pretrain, masked pass, progress {p}, drop' for p in (0, 1)]
    assert list(stages) == ['finetune', *names]
    assert [stages[name].total for name in names] == [
        torch_count(cfg, helpers, 'pretrain', progress) for progress in (0.0, 1.0)
    ]
    cfg = tiny_config(helpers, mask_stage='decoder')
    _, stages = count(cfg)
    late = stages['pretrain, masked pass, progress 1, decoder only']
    assert late.flops['visual'] == 0 < late.flops['decoders']
    total = stages['pretrain, unmasked pass'].total + late.total
    assert total == torch_count(cfg, helpers, 'pretrain', 1.0)


#: branches of pretexts without labels; the flow and CLIP are no part of the count
MASKED = {
    'token, linear': dict(
        audio=dict(
            masker=dict(type='RandomMasker', ratio=0.5),
            decoder=dict(type='LinearDecoder', norm=False),
            targets=[dict(type='SSASTTarget')],
        ),
        mask_mode='token',
    ),
    'scored by motion': dict(
        visual=dict(
            importance=dict(type='MotionVisibleMap', flow=dict(type='DISFlow'), ratio=0.7),
            masker=dict(type='MotionGuidedMasker', ratio=0.7),
            decoder=dict(type='TransformerDecoder', dims=16, depth=2, num_heads=2),
            targets=[dict(type='PixelTarget')],
        )
    ),
}


@pytest.mark.parametrize('name', MASKED)
def test_masked_modeling(helpers: SimpleNamespace, name: str) -> None:
    """One pass, as the counter finds it on a model that computes."""
    cfg = tiny_config(helpers)
    cfg.model.pretext = dict(type='MaskedModeling', **copy.deepcopy(MASKED[name]))
    if 'mask_mode' in MASKED[name]:
        cfg.model.backbone.audio.mask_token = True
    _, stages = count(cfg, 0.5)
    mode = MASKED[name].get('mask_mode', 'drop')
    assert not [stage for stage in stages if 'unmasked' in stage]
    masked = stages[f'pretrain, masked pass, progress 0.5, {mode}']
    assert masked.total == torch_count(cfg, helpers, 'pretrain', 0.5)
    # no formula knows SSAST's contrast: all 16 tokens of 6 segments with each other, 256 values
    contrast = 2 * 6 * 16 * 16 * 256 if mode == 'token' else 0
    assert masked.total - masked.analytic == pytest.approx(contrast, rel=0.01)


def test_teachers_need_not_be_there(helpers: SimpleNamespace) -> None:
    """CLIP's weights are not looked for, and its operations not counted."""
    cfg = tiny_config(helpers)
    clip = dict(name_or_path='/nowhere', dims=8)
    cfg.model.pretext = dict(
        type='MaskedModeling',
        visual=dict(
            importance=dict(type='CLIPAttention', clip=clip),
            masker=dict(type='ImportanceSampledMasker'),
            decoder=dict(type='PromptingDecoder', dims=16, depth=1, num_heads=2),
            targets=[dict(type='CLIPTarget', clip=clip, all_tokens=True)],
        ),
    )
    _, stages = count(cfg, 0.5)
    assert stages['pretrain, masked pass, progress 0.5, drop'].flops['decoders'] > 0


def test_contrast_needs_two_videos(helpers: SimpleNamespace) -> None:
    cfg = tiny_config(helpers)
    cfg.model.pretext = dict(type='MoCoV3', hidden_dims=24, dims=8)
    _, stages = count_config(cfg, batch_size=2)
    # two views through both encoders: queries and keys
    encoders = 4 * sum(stages[0].flops[part] for part in ('visual', 'audio', 'fusion'))
    assert 0.99 * encoders < stages[1].total < 1.2 * encoders
    with pytest.raises(ValueError, match='give --batch-size 2 or more'):
        count_config(cfg, batch_size=1)


def test_a_model_is_left_as_it_was(helpers: SimpleNamespace) -> None:
    model = MODELS.build(tiny_config(helpers).model)
    before = [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules()]
    with PartCounter(model).counting():
        inside = sum(len(m._forward_hooks) for m in model.modules())
    assert inside > 0
    after = [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules()]
    assert before == after


def test_shapes_only_keeps_real_tensors_real() -> None:
    real, shape = torch.arange(6.0), torch.empty(6, device='meta')
    with ShapesOnly():
        doubled, mixed = real * 2, real * shape
        picked = shape.gather(0, torch.tensor([5, 1]))
    assert doubled.tolist() == [0, 2, 4, 6, 8, 10]
    assert mixed.is_meta
    assert picked.is_meta
    assert picked.shape == (2,)


@pytest.mark.parametrize(
    ('name', 'part'),
    [
        ('backbone.visual.blocks.7.attn', 'visual'),
        ('backbone.visual.blocks.8.attn', 'fusion'),
        ('backbone.audio.patch_embed.weight', 'audio'),
        ('backbone.bottleneck', 'fusion'),
        ('head.classifiers.audio', 'head'),
        ('pretext.tacl', 'attention_tacl'),
        ('pretext.branches.visual.decoder.blocks.0', 'decoders'),
        ('pretext.branches.audio.targets.1.head', 'target_heads'),
        ('pretext', 'other'),
    ],
)
def test_part_of(name: str, part: str) -> None:
    assert part_of(name, 8) == part


def test_bad_arguments(helpers: SimpleNamespace) -> None:
    cfg = tiny_config(helpers)
    with pytest.raises(ValueError, match=r'progress=\(1.5,\)'):
        count_config(cfg, progress=(1.5,))
    cfg.train_dataloader = None
    assert find_num_segments(cfg) is None
    with pytest.raises(ValueError, match='--num-segments'):
        count_config(cfg)


def test_command(helpers: SimpleNamespace, tmp_path: Path) -> None:
    cfg = tiny_config(helpers)
    cfg.dump(tmp_path / 'tiny.py')
    command = [sys.executable, 'tools/analysis/flops.py', str(tmp_path / 'tiny.py'), '--json']
    command += ['--progress', '0.5', '--batch-size', str(VIDEOS), '--num-cues', str(CUES)]
    command += ['--cfg-options', 'model.pretext.visual.decoder.depth=2']
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    cfg.merge_from_dict({'model.pretext.visual.decoder.depth': 2})
    parameters, stages = count(cfg, 0.5)
    assert report['parameters'] == parameters
    assert [row['total'] for row in report['stages']] == [s.total for s in stages.values()]
    text = table(parameters, list(stages.values()))
    assert 'pretrain, masked pass, progress 0.5, token (hidden: visual 50.0%, audio 50.0%)' in text


class LostProduct(torch.nn.Module):
    """A matrix product that no formula knows."""

    def __init__(self, linear: torch.nn.Linear) -> None:
        super().__init__()
        self.weight = linear.weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x @ self.weight.T


class DerivedLinear(torch.nn.Linear):
    """As other libraries derive their layers."""


def test_a_missing_formula_shows(helpers: SimpleNamespace) -> None:
    model = MODELS.build(tiny_config(helpers).model)
    linear = model.head.classifiers['visual']
    flops = 2 * 5 * 32 * 6
    for layer, expected in (
        (linear, flops),
        (DerivedLinear(32, 6), flops),
        (LostProduct(linear), 0),
    ):
        model.head.classifiers['visual'] = layer
        counter = PartCounter(model)
        with counter.counting():
            layer(torch.empty(5, 32))
        assert (counter.total, counter.analytic) == (flops, expected)
