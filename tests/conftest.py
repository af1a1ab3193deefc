"""Shared fixtures: tiny models and batches, real code paths."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from mmengine.registry import DefaultScope

import mart_mm  # noqa: F401  first: it repairs what is imported below
from mart_mm.models.recognizers.affective import AffectiveRecognizer
from mart_mm.registry import MODELS
from mart_mm.structures.affective_data_sample import AffectiveDataSample

pytest_plugins = [
    'tests.harmful_files',
    'tests.tiny_runs',
    'tests.training_runs',
    'tests.ui.browser',
]

POLARITY = [-1, -1, -1, 1, -1, 1]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        '--full',
        action='store_true',
        help='inject as many faults as docs/reliability.md says, not a few of each kind',
    )


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.fixture(autouse=True, scope='module')
def _own_scope() -> None:
    """The scope in which a run of another file looked names up is none of this one's."""
    DefaultScope._instance_dict.clear()


@pytest.fixture(autouse=True, scope='session')
def _own_cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What tests pack stays out of the user's cache folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('XDG_CACHE_HOME', str(tmp_path_factory.mktemp('cache')))
        yield


@pytest.fixture(scope='session')
def shared_data() -> Path:
    """Real lists, media and subtitles kept beside the checkout; the project runs without them."""
    folder = Path(__file__).resolve().parents[2] / 'shared' / 'data'
    if not folder.is_dir():
        pytest.skip('no folder with real media beside the checkout')
    return folder


def tiny_backbone(**kwargs: object) -> dict:
    """MBT with 2 x 3 x 3 = 18 visual and 8 x 2 = 16 audio tokens."""
    visual = dict(
        type='VideoViT',
        img_size=24,
        num_frames=4,
        patch_size=8,
        embed_dims=32,
        depth=2,
        num_heads=4,
    )
    audio = dict(
        type='AudioSpectrogramTransformer',
        num_frames=32,
        stride=16,
        embed_dims=32,
        depth=2,
        num_heads=4,
    )
    for key in ('mask_token',):
        if key in kwargs:
            visual[key] = audio[key] = kwargs.pop(key)
    return dict(type='MBT', visual=visual, audio=audio, num_bottlenecks=2, fusion_layer=1, **kwargs)


def tiny_pretext(**kwargs: object) -> dict:
    """MART's pretext in the paper's form, small."""
    decoder = dict(type='TransformerDecoder', dims=16, depth=1, num_heads=2)
    config = dict(
        type='MaskedAffectivePretext',
        verifier=dict(type='LexiconVerifier'),
        attention=dict(type='LexiconAttention', num_heads=4),
        tacl=dict(type='TACL'),
        visual=dict(
            masker=dict(type='EmotionMasker'),
            decoder=decoder,
            targets=[dict(type='PixelTarget'), dict(type='EmotionDistributionTarget')],
        ),
        audio=dict(
            masker=dict(type='EmotionMasker'),
            decoder=decoder,
            targets=[dict(type='FbankTarget'), dict(type='EmotionDistributionTarget')],
        ),
        verify_level=0,
    )
    return config | kwargs


def recognizer_config(
    pretext: dict | None = None, backbone: dict | None = None, **head: object
) -> dict:
    """Config of a tiny recogniser."""
    return dict(
        type='AffectiveRecognizer',
        data_preprocessor=dict(
            type='AffectiveDataPreprocessor',
            text_encoder=dict(type='LexiconVectorEncoder', dims=16),
        ),
        backbone=backbone or tiny_backbone(),
        head=dict(type='PolarityConsistentHead', polarity=POLARITY, **head),
        pretext=pretext,
    )


def build_recognizer(
    pretext: dict | None = None, backbone: dict | None = None, **head: object
) -> AffectiveRecognizer:
    """A tiny recogniser."""
    return MODELS.build(recognizer_config(pretext, backbone, **head))


def make_batch(
    num_videos: int = 2,
    num_segments: int = 3,
    num_cues: int = 4,
    *,
    size: int = 24,
    frames: int = 4,
    mel_frames: int = 32,
    audio: tuple[bool, ...] | None = None,
    seed: int = 0,
) -> dict:
    """A collated batch with random content; cue k of segment s is valid for k <= s."""
    rng = torch.Generator().manual_seed(seed)
    shape = (num_videos, num_segments, num_cues)
    classes = torch.randint(-1, 6, shape, generator=rng)
    valid = (torch.arange(num_cues) <= torch.arange(num_segments)[:, None]).expand(shape).clone()
    samples = []
    for video in range(num_videos):
        sample = AffectiveDataSample(
            metainfo=dict(video_id=f'v{video}', video_path='', failures=[])
        )
        sample.gt_emotion = video % 6
        sample.texts = ['word ' * num_cues] * num_segments
        sample.cues = [
            [
                dict(word=f'word{video}{s}{k}', span=(0, 4), affect=[0.5] + [0.1 * k] * 6)
                for k in range(int(valid[video, s].sum()))
            ]
            for s in range(num_segments)
        ]
        samples.append(sample)
    return dict(
        inputs=dict(
            imgs=torch.randint(
                0, 256, (num_videos, num_segments, 3, frames, size, size), generator=rng
            ).to(torch.uint8),
            audios=torch.randn(num_videos, num_segments, mel_frames, 128, generator=rng) * 4 - 4,
            cues=dict(
                polarity=torch.randint(-1, 2, shape, generator=rng),
                emotion=torch.rand(*shape, 6, generator=rng),
                emotion_class=classes,
                valid=valid,
                class_has_words=torch.tensor([True] * 5 + [False]).expand(num_videos, 6).clone(),
            ),
            present=dict(
                visual=torch.ones(num_videos, dtype=torch.bool),
                audio=torch.tensor(audio or (True,) * num_videos),
                text=torch.ones(num_videos, dtype=torch.bool),
            ),
        ),
        data_samples=samples,
    )


@pytest.fixture
def helpers() -> object:
    """The functions of this file, for tests that cannot import it."""
    import types

    return types.SimpleNamespace(
        backbone=tiny_backbone,
        pretext=tiny_pretext,
        recognizer=build_recognizer,
        batch=make_batch,
        polarity=POLARITY,
    )
