"""The recipe of mart_100_150.py for pretexts without words to verify."""

_base_ = './mart_100_150.py'

custom_hooks = [
    dict(type='StageSwitchHook', pretrain_epochs=100),
    dict(type='ProgressiveMaskHook'),
    dict(type='ReproducibilityHook'),
    dict(type='FailureReportHook', max_failed_share=0.1),
    dict(type='EMAHook', ema_type='ExponentialMovingAverage', momentum=0.001, begin_epoch=101),
    dict(type='PlainCheckpointHook'),
]
