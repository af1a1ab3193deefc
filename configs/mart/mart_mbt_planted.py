"""MART on planted affect: the main job in minutes on two CPU cores. Differs from Ekman6 in sizes only.

python tools/data/planted/make.py --out data/planted
python tools/train.py configs/mart/mart_mbt_planted.py
"""

_base_ = [
    '../_base_/models/mart_mbt.py',
    '../_base_/datasets/planted.py',
    '../_base_/schedules/mart_100_150.py',
    '../_base_/default_runtime.py',
]

# 4 x 48 x 48 pixels make 2 x 6 x 6 = 72 visual tokens, 80 x 128 log-mel 8 x 5 = 40
model = dict(
    data_preprocessor=dict(audio_mean=-4.19, audio_std=1.34),  # of the planted sound
    backbone=dict(
        visual=dict(img_size=48, num_frames=4, patch_size=8, embed_dims=64, depth=2, num_heads=4),
        audio=dict(num_frames=80, stride=16, embed_dims=64, depth=2, num_heads=4),
        num_bottlenecks=4,
        fusion_layer=1,
    ),
    head=dict(polarity=[-1, -1, -1, 1, -1, 1]),
    pretext=dict(
        attention=dict(num_heads=4),
        visual=dict(decoder=dict(dims=64, depth=2, num_heads=4)),
        audio=dict(decoder=dict(dims=64, depth=2, num_heads=4)),
    ),
)

optim_wrapper = dict(optimizer=dict(lr=1e-3), accumulative_counts=1)
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=0.01,
        begin=0,
        end=2,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
    dict(
        type='CosineRestartLR',
        periods=[22, 8],
        restart_weights=[1.0, 0.5],
        eta_min=1e-6,
        begin=2,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
]
train_cfg = dict(max_epochs=32, val_begin=25, val_interval=2)
custom_hooks = [
    dict(type='StageSwitchHook', pretrain_epochs=24),
    dict(type='ProgressiveMaskHook'),
    dict(type='VerificationWarmupHook', warmup=0.1),
    dict(type='ReproducibilityHook'),
    dict(type='FailureReportHook', max_failed_share=0.1),
    dict(type='EMAHook', ema_type='ExponentialMovingAverage', momentum=0.05, begin_epoch=25),
    dict(type='PlainCheckpointHook'),
]
