"""As many epochs as mart_12_18.py has in both stages, without pretext."""

_base_ = './supervised_150.py'

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
        T_max=28,
        begin=2,
        end=30,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
]
train_cfg = dict(max_epochs=30, val_begin=20, val_interval=2)
custom_hooks = [
    dict(type='StageSwitchHook', pretrain_epochs=0),
    dict(type='ReproducibilityHook'),
    dict(type='FailureReportHook', max_failed_share=0.1),
    dict(type='EMAHook', ema_type='ExponentialMovingAverage', momentum=0.05, begin_epoch=13),
    dict(type='PlainCheckpointHook'),
]
