"""MBT on planted affect without pretext, with as many epochs as MART has in both stages.

python tools/train.py configs/supervised/mbt_planted.py
"""

_base_ = [
    '../_base_/models/mbt.py',
    '../_base_/datasets/planted.py',
    '../_base_/schedules/supervised_150.py',
    '../_base_/default_runtime.py',
]

model = dict(
    data_preprocessor=dict(audio_mean=-4.19, audio_std=1.34),  # of the planted sound
    backbone=dict(
        visual=dict(img_size=48, num_frames=4, patch_size=8, embed_dims=64, depth=2, num_heads=4),
        audio=dict(num_frames=80, stride=16, embed_dims=64, depth=2, num_heads=4),
        num_bottlenecks=4,
        fusion_layer=1,
    ),
    head=dict(polarity=[-1, -1, -1, 1, -1, 1]),
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
        type='CosineAnnealingLR',
        eta_min=1e-6,
        T_max=30,
        begin=2,
        end=32,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
]
train_cfg = dict(max_epochs=32, val_begin=25, val_interval=2)
custom_hooks = [
    dict(type='StageSwitchHook', pretrain_epochs=0),
    dict(type='ReproducibilityHook'),
    dict(type='FailureReportHook', max_failed_share=0.1),
    dict(type='EMAHook', ema_type='ExponentialMovingAverage', momentum=0.05, begin_epoch=25),
    dict(type='PlainCheckpointHook'),
]
