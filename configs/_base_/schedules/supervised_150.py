"""Finetuning alone, from scratch or from weights: 150 epochs with the recipe of the second stage."""

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=2e-4, betas=(0.9, 0.95), weight_decay=0.04),
    accumulative_counts=9,
    clip_grad=dict(max_norm=1.0),
)
auto_scale_lr = dict(enable=False, base_batch_size=36)

param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=0.01,
        begin=0,
        end=5,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
    dict(
        type='CosineAnnealingLR',
        eta_min=1e-6,
        T_max=145,
        begin=5,
        end=150,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
]

train_cfg = dict(type='ResumableTrainLoop', max_epochs=150, val_interval=1)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

custom_hooks = [
    dict(type='StageSwitchHook', pretrain_epochs=0),
    dict(type='ReproducibilityHook'),
    dict(type='FailureReportHook', max_failed_share=0.1),
    dict(type='EMAHook', ema_type='ExponentialMovingAverage', momentum=0.001, begin_epoch=2),
    dict(type='PlainCheckpointHook'),
]
