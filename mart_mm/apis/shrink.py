"""Make a config small: the same components, a few records, two steps of each stage.

For smoke runs (``tools/train.py CONFIG --smoke``) and for the test that trains every config.
"""

from __future__ import annotations

import inspect

from mmengine.config import Config, ConfigDict

from mart_mm.registry import MODELS

#: frames and pixels of a clip, log-mel frames, segments of a video
CLIP, PICTURE, SOUND, SEGMENTS = 4, 32, 64, 3
#: records of a split; in batches of two they are two training steps and one of validation
RECORDS = dict(train=4, val=2, test=2)
BATCH = 2

#: geometry, by option of a pipeline's transforms
PIPELINE = dict(
    num_segments=SEGMENTS, clip_len=CLIP, size=PICTURE, num_frames=SOUND, max_cues=4, time_width=16
)
#: geometry, by option of a stream or of its encoder
GEOMETRY = dict(
    visual=dict(
        img_size=PICTURE,
        spatial_size=PICTURE,
        num_frames=CLIP,
        temporal_size=CLIP,
        num_segments=CLIP,  # as 2-D encoders with shifted channels call the frames of a clip
        input_shape=(CLIP, PICTURE, PICTURE),
    ),
    audio=dict(num_frames=SOUND, input_shape=(128, SOUND)),
)
#: the largest value of an option, wherever it stands in the model, or of its default
LIMITS = dict(
    audio_dims=16,
    base_channels=8,
    block_channels=8,
    cardinality=4,
    depth=2,
    embed_dims=32,
    frozen_stages=1,
    fusion_dims=16,
    fusion_layer=1,
    hidden_dims=32,
    inner_dims=16,
    num_bottlenecks=2,
    num_heads=2,
    num_segments=SEGMENTS,
    num_updates=1,
    patch_size=8,
    text_hidden_dims=16,
)
#: encoders whose sizes are named in other ways
ENCODERS = dict(
    SwinTransformer3D=dict(
        arch=dict(embed_dims=24, depths=[1, 1, 1, 1], num_heads=[1, 2, 4, 8]), window_size=(8, 4, 4)
    ),
    ResNet=dict(num_stages=2, strides=(1, 2), dilations=(1, 1), out_indices=(1,)),
    MViT=dict(arch=dict(embed_dims=16, num_layers=4, num_heads=1, downscale_indices=[1, 2])),
    ResNet3d=dict(inflate=(1, 1, 1, 1)),
    UniFormer=dict(depth=[1, 1, 1, 1], embed_dim=[16, 16, 32, 32], head_dim=16),
    X3D=dict(gamma_w=1.0, gamma_b=1.0, gamma_d=1.0),
)
#: a CLIP of random weights
RANDOM_CLIP = dict(
    dims=16,
    config=dict(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        image_size=PICTURE,
        patch_size=8,
        projection_dim=16,
    ),
)


def shrink(cfg: Config) -> None:
    """Shrink a config in place.

    Widths, depths, heads, pictures, clips, segments, batches and epochs become small in all places
    that must agree; no component is replaced by another. A few records of each split are left, two
    training steps of each stage, one validation and one checkpoint after the last. Pretrained weights
    are not loaded, as they do not fit small networks: CLIP gets random ones.

    Args:
        cfg: As :func:`mart_mm.apis.run.load_config` returns it.
    """
    for split, count in RECORDS.items():
        if cfg.get(f'{split}_dataloader'):
            _shrink_loader(cfg[f'{split}_dataloader'], count)
    _shrink_model(cfg.model)
    for name, stream in _streams(cfg.model.backbone).items():
        _shrink_stream(stream, name)
    cfg.load_from = None
    _shrink_schedule(cfg)


def _shrink_loader(loader: ConfigDict, count: int) -> None:
    loader.batch_size, loader.num_workers, loader.persistent_workers = BATCH, 0, False
    dataset = loader.dataset
    dataset.indices = count
    if 'window_frames' in dataset:
        dataset.window_frames = min(dataset.window_frames, SEGMENTS * 2 * CLIP)
    for name in ('pipeline', 'pretrain_pipeline'):
        for step in dataset.get(name) or ():
            _set_known(step, PIPELINE)


def _set_known(node: object, values: dict) -> None:
    """Set those options that are there, at any depth."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in values:
                node[key] = values[key]
            else:
                _set_known(value, values)
    elif isinstance(node, (list, tuple)):
        for value in node:
            _set_known(value, values)


def _streams(backbone: ConfigDict) -> dict[str, ConfigDict]:
    return {name: backbone[name] for name in GEOMETRY if backbone.get(name)}


def _shrink_stream(stream: ConfigDict, name: str) -> None:
    for part in (stream, stream.get('encoder') or {}):
        options = _options(part)
        part.update({key: value for key, value in GEOMETRY[name].items() if key in options})


def _shrink_model(node: object, slot: str = '') -> None:
    """Apply the limits below a part of the model, whose option is named ``slot``."""
    if isinstance(node, (list, tuple)):
        for value in node:
            _shrink_model(value, slot)
    if not isinstance(node, dict):
        return
    if slot == 'clip':
        node.clear()
        node.update(ConfigDict(RANDOM_CLIP))
        return
    kind, options = str(node.get('type')).split('.')[-1], _options(node)
    own = ENCODERS.get(kind, {})
    for key, value in options.items():
        if key == 'depth' and 'ResNet' in kind:  # bottlenecks alone have groups
            node[key] = 50 if node.get('cardinality', 1) > 1 else 18
        elif key == 'pretrained' and value:
            node[key] = None
        elif key in LIMITS and key not in own:
            _limit(node, key, value, LIMITS[key])
        elif key == 'dims' and (slot == 'decoder' or 'hidden_dims' in options):
            _limit(node, key, value, LIMITS['hidden_dims'])
        elif key in node:
            _shrink_model(value, key)
    node.update(ConfigDict(own))


def _options(node: ConfigDict) -> dict[str, object]:
    """Options of a component as they are given, or their defaults."""
    name = '.'.join(node[key] for key in ('_scope_', 'type') if key in node)
    component = MODELS.get(name) if name else None
    defaults = {}
    for base in reversed(inspect.getmro(component) if inspect.isclass(component) else ()):
        if '__init__' in vars(base):
            for name, option in inspect.signature(base.__init__).parameters.items():
                if option.default is not option.empty:
                    defaults[name] = option.default
    return defaults | dict(node)


def _limit(node: ConfigDict, key: str, value: object, limit: int) -> None:
    limited = _at_most(value, limit)
    if limited != value:
        node[key] = limited


def _at_most(value: object, limit: int) -> object:
    if isinstance(value, (list, tuple)):
        return type(value)(_at_most(part, limit) for part in value)
    return min(value, limit) if isinstance(value, int) else value


def _shrink_schedule(cfg: Config) -> None:
    hooks = {hook.type: hook for hook in cfg.get('custom_hooks') or ()}
    stages = 1
    if 'StageSwitchHook' in hooks and hooks['StageSwitchHook'].pretrain_epochs:
        hooks['StageSwitchHook'].pretrain_epochs, stages = 1, 2
    if 'EMAHook' in hooks:
        hooks['EMAHook'].begin_epoch = stages
    cfg.train_cfg.update(max_epochs=stages, val_begin=stages, val_interval=1)
    cfg.default_hooks.logger.interval = 1
    cfg.default_hooks.checkpoint.interval = stages
    if 'accumulative_counts' in cfg.optim_wrapper:
        cfg.optim_wrapper.accumulative_counts = 1
    for scheduler in cfg.get('param_scheduler') or ():  # one step of warm-up, then the rest
        if scheduler.get('begin', 0):
            times = dict(begin=0.5, end=stages, T_max=stages - 0.5, periods=[0.5, 1.0])
        else:
            times = dict(end=0.5)
        scheduler.update({key: value for key, value in times.items() if key in scheduler})
