"""The paper's recipe: 100 epochs of pretraining, then 150 of finetuning, in one run.

Adam with lr 2e-4 and weight decay 0.04 (Sec. 4.2), the decay decoupled; the paper gives no schedule.
The learning rate is for an effective batch of 36 videos: 4 x 9 accumulation steps.
"""

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
        type='CosineRestartLR',
        periods=[95, 150],
        restart_weights=[1.0, 1.0],
        eta_min=1e-6,
        begin=5,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
]

train_cfg = dict(type='ResumableTrainLoop', max_epochs=250, val_begin=101, val_interval=1)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

custom_hooks = [
    dict(type='StageSwitchHook', pretrain_epochs=100),
    dict(type='ProgressiveMaskHook'),
    dict(type='VerificationWarmupHook', warmup=0.1),
    dict(type='ReproducibilityHook'),
    dict(type='FailureReportHook', max_failed_share=0.1),
    dict(type='EMAHook', ema_type='ExponentialMovingAverage', momentum=0.001, begin_epoch=101),
    dict(type='PlainCheckpointHook'),
]
