default_scope = 'mart_mm'

default_hooks = dict(
    runtime_info=dict(type='RuntimeInfoHook'),
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=10),
    param_scheduler=dict(type='ParamSchedulerHook'),
    # on the disk there is room for one more than max_keep_ckpts: a new one is whole before one is removed
    checkpoint=dict(
        type='ResumableCheckpointHook',
        interval=1,
        max_keep_ckpts=2,
        save_best='affect/emotion_acc',
    ),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    stop=dict(type='GracefulStopHook'),
)

# log-mel, cues and frame tables are computed once per file; --cfg-options cache=None computes them
# each time; packed lexicons lie in this folder too, not counted in max_bytes
cache = dict(folder='data/.cache', max_bytes=20 * 2**30)

env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    # without a GPU the processes join with gloo; a process that keeps the others waiting for longer
    # than timeout seconds ends the run
    dist_cfg=dict(backend='nccl', timeout=1800),
)

# (MMEngine looks this up without a default scope, hence the prefix)
# parameters without gradient: backbone or head in the stage of a pretext that reads no label, mask
# tokens of the streams in finetuning (the wrapper leaves the pretext itself out of finetuning)
model_wrapper_cfg = dict(
    type='mart_mm.AffectiveDistributedDataParallel', find_unused_parameters=True
)

log_processor = dict(type='LogProcessor', window_size=10, by_epoch=True)
log_level = 'INFO'
vis_backends = [dict(type='FaultTolerantVisBackend')]
visualizer = dict(type='Visualizer', vis_backends=vis_backends)

randomness = dict(seed=0)
load_from = None
resume = False
