"""MART's step at full size: its share of the matmul rate, its FLOPs, and its lead over a naive form.

The official losses (``configs/mart/parity/``), text encoder included, beside the same losses computed
naively (``naive_mart.py``), and the step of the paper's form (``configs/mart/mart_mbt_ekman6.py``). A clip
is a segment of 16 frames with its second of sound and its words. Where a segment is masked by chance,
half of them are. Texts are new to the encoder in every step.

    python benchmarks/step_mart.py --sizes 112
    python benchmarks/step_mart.py --sizes 224
    python benchmarks/step_mart.py --device cuda --amp bf16 --compile --videos 4 --segments 12
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from harness import ROOT, Figure, show
from naive_mart import naive_losses, trainable, words_with_gradient
from step_parts import (
    Setting,
    device_memory,
    memory_figures,
    parser,
    print_lines,
    rate_of,
    setting_of,
    time_figures,
    training_step,
    vit_shapes,
)

import torch  # isort: skip
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode
from transformers import BertConfig, BertModel, BertTokenizerFast

from mart_mm.models.recognizers.affective import AffectiveRecognizer
from mart_mm.models.recognizers.step import compile_blocks
from mart_mm.models.text_encoders.bert import BertTextEncoder
from mart_mm.registry import MODELS
from mart_mm.structures.affective_data_sample import AffectiveDataSample

PARITY = 'configs/mart/parity/mart_mbt_ekman6_official.py'
DEFAULT = 'configs/mart/mart_mbt_ekman6.py'
VOCABULARY = 30522
NUM_WORDS, NUM_CUES = 16, 8  # of a segment


def random_bert(**sizes: int) -> BertTextEncoder:
    """A text encoder of BERT-base's sizes, or others, with random weights."""
    config = BertConfig(vocab_size=VOCABULARY, **sizes)
    encoder = BertTextEncoder(dims=config.hidden_size)
    special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']
    words = special + [f'w{number}' for number in range(VOCABULARY - len(special))]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'vocab.txt'
        path.write_text('\n'.join(words) + '\n')
        encoder._tokenizer = BertTokenizerFast(str(path))
    encoder._model = BertModel(config).eval().requires_grad_(False)
    return encoder


def build(
    config: str, encoder: BertTextEncoder, size: int, options: dict | None = None
) -> AffectiveRecognizer:
    """The recogniser of a config that hides half of its tokens at most, with this text encoder.

    Args:
        config: Of MART, from the repository's root.
        encoder: Used in place of the config's.
        size: Pixels.
        options: Config overrides.
    """
    cfg = Config.fromfile(ROOT / config)
    init_default_scope('mart_mm')
    cfg.merge_from_dict({'model.backbone.visual.img_size': size} | (options or {}))
    cfg.model.data_preprocessor.text_encoder = dict(type='BertTextEncoder', dims=encoder.dims)
    model = MODELS.build(cfg.model).train()
    model.data_preprocessor._text.encoder = encoder
    model.pretext.mask_progress = 0.5
    return model


def draw_batch(model: AffectiveRecognizer, videos: int, segments: int) -> dict:
    """A collated batch of random frames, sound and words, as the config's data would be."""
    specs = model.backbone.streams
    num_classes = model.head.num_classes
    rng = torch.Generator().manual_seed(0)
    whole, shape = torch.ones(videos, dtype=torch.bool), (videos, segments, NUM_CUES)
    samples = []
    for video in range(videos):
        sample = AffectiveDataSample(metainfo=dict(video_id=str(video), failures=[]))
        sample.gt_emotion = video % num_classes
        numbers = torch.randint(1000, 9999, (segments, NUM_WORDS), generator=rng).tolist()
        sample.texts = [' '.join(f'w{number}' for number in row) for row in numbers]
        # words of five letters and a space between
        sample.cues = [
            [dict(word='', span=(12 * k, 12 * k + 5)) for k in range(NUM_CUES)]
            for _ in range(segments)
        ]
        samples.append(sample)
    frames = (videos, segments, 3, *specs['visual'].input_shape)
    mels = (videos, segments, *specs['audio'].input_shape[::-1])
    return dict(
        inputs=dict(
            imgs=torch.randint(0, 256, frames, generator=rng, dtype=torch.uint8),
            audios=torch.randn(mels, generator=rng) * 4 - 4,
            cues=dict(
                polarity=torch.randint(-1, 2, shape, generator=rng),
                emotion=torch.rand(*shape, num_classes, generator=rng),
                emotion_class=torch.randint(-1, num_classes, shape, generator=rng),
                valid=torch.ones(shape, dtype=torch.bool),
                class_has_words=torch.ones(videos, num_classes, dtype=torch.bool),
            ),
            present=dict(visual=whole, audio=whole, text=whole),
        ),
        data_samples=samples,
    )


def fair_seed(clips: int, num_tokens: int, setting: Setting) -> int:
    """A seed with which the official masker skips half of the segments (one of one is masked)."""
    for seed in range(10_000):
        rng = torch.Generator().manual_seed(seed)
        if setting.device == 'cpu':  # elsewhere hints are drawn by the device's own generator
            torch.rand(clips, num_tokens, generator=rng)
        if int((torch.rand(clips, 1, generator=rng) < 0.5).sum()) == (clips + 1) // 2:
            return seed
    raise RuntimeError('no seed found')


def our_losses(model: AffectiveRecognizer, batch: dict) -> dict[str, torch.Tensor]:
    """The recogniser's own losses; texts are encoded anew."""
    model.data_preprocessor._text.encoder._cache.clear()
    return model(**model.data_preprocessor(batch, True), mode='loss')


def yardstick(model: AffectiveRecognizer, batch: dict) -> dict[str, torch.Tensor]:
    """The same losses, naively."""
    model.data_preprocessor.encode_cues = False
    data = model.data_preprocessor(batch, True)
    encoder = model.data_preprocessor._text.encoder
    valid = data['inputs']['cues']['valid']
    return naive_losses(
        model, data, lambda: words_with_gradient(encoder, data['data_samples'], valid)
    )


def step_of(
    name: str, size: int, videos: int, segments: int, setting: Setting, options: dict
) -> Callable[[], None]:
    """The training step of ``'ours'``, ``'naive'`` or ``'default'``."""
    torch.manual_seed(0)
    encoder = random_bert(**options.get('bert', {}))
    config = DEFAULT if name == 'default' else PARITY
    overrides = dict(options.get('model', {}))
    if name == 'default' and overrides:  # it recovers the sound, too
        key = 'model.pretext.{}.decoder'
        overrides[key.format('audio')] = overrides[key.format('visual')]
    model = build(config, encoder, size, overrides).to(setting.device)
    if setting.compiled and name != 'naive':
        compile_blocks(model)
    encoder._model.to(setting.device)
    text = trainable(encoder) if name == 'naive' else None
    batch = draw_batch(model, videos, segments)
    seed = fair_seed(videos * segments, model.backbone.visual.spec.num_tokens, setting)
    compute = yardstick if name == 'naive' else our_losses

    def loss() -> torch.Tensor:
        torch.manual_seed(seed)
        return model.parse_losses(compute(model, batch))[0]

    step = training_step(model, loss, setting)

    def step_and_drop() -> None:
        step()
        if text is not None:
            text.zero_grad(set_to_none=True)

    return step_and_drop


def gflop_of(step: Callable[[], None], clips: int) -> float:
    """GFLOP of a step per clip, as torch counts them (its fused attention on CPU it does not)."""
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        step()
    return counter.get_total_flops() / clips / 1e9


QUICK = dict(
    bert=dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64),
    model={
        f'model.backbone.{stream}.{key}': value
        for stream in ('visual', 'audio')
        for key, value in dict(embed_dims=32, depth=3, num_heads=2).items()
    }
    | {
        'model.backbone.audio.frozen_stages': 1,
        'model.backbone.fusion_layer': 2,
        'model.pretext.visual.decoder': dict(
            type='TransformerDecoder', dims=16, depth=2, num_heads=2
        ),
    },
)


def main() -> None:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument('--videos', type=int, default=1)
    options.add_argument('--segments', type=int, default=2)
    args = options.parse_args()
    setting, sizes, runs = setting_of(args), args.sizes, args.runs
    small = {}
    if args.quick:
        small, sizes, runs = QUICK, [32], 1
    if args.measure:
        name, size = args.measure[0], int(args.measure[1])
        if name != 'import':
            segments = args.segments
            step_of(name, size, args.videos, segments, setting, small)()
        return
    rate = rate_of(vit_shapes(2 * 393), setting)
    figures: list[Figure] = print_lines([rate])
    for size in sizes:
        segments = args.segments
        clips, prefix = args.videos * segments, f'mart/{size}px'
        names = ('ours', 'naive', 'default') if size <= 112 else ('ours', 'naive')
        steps = {name: step_of(name, size, args.videos, segments, setting, small) for name in names}
        found = print_lines(time_figures(prefix, steps, clips, runs))
        for name in names if size <= 112 else ():
            gflop = gflop_of(steps[name], clips)
            millis = next(f.value for f in found if f.name == f'{prefix}/{name}')
            share = gflop / millis * 1e3 / rate.value
            found += print_lines(
                [
                    Figure(f'{prefix}/{name} FLOPs', gflop, 'GFLOP/clip', None, None, [gflop]),
                    Figure(f'{prefix}/{name} rate', share, 'of matmul', None, None, [share]),
                ]
            )
        if setting.device == 'cuda':
            memory = [device_memory(step, f'{prefix}/{name}') for name, step in steps.items()]
            found += print_lines(memory)
        elif size > 112:
            del steps
            names = ('ours', 'naive')
            found += print_lines(memory_figures(prefix, __file__, names, size, setting))
        figures += found
    show('Step, MART', figures)


if __name__ == '__main__':
    main()
