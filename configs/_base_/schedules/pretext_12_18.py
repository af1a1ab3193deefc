"""The recipe of mart_12_18.py for pretexts without words to verify."""

_base_ = './mart_12_18.py'

custom_hooks = [
    dict(type='StageSwitchHook', pretrain_epochs=12),
    dict(type='ProgressiveMaskHook'),
    dict(type='ReproducibilityHook'),
    dict(type='FailureReportHook', max_failed_share=0.1),
    dict(type='EMAHook', ema_type='ExponentialMovingAverage', momentum=0.05, begin_epoch=13),
    dict(type='PlainCheckpointHook'),
]
