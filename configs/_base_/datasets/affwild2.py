"""AffWild2: windows of 360 frames, eight expressions."""

_base_ = ['../loaders.py', '../pipelines/segments_12x16x112.py']

train_dataloader = dict(
    dataset=dict(
        type='AffWild2',
        data_root='data/affwild2',
        preset='8-way',
        window_frames=360,
        ann_file='annotations/EXPR_Recognition_Challenge/Train_Set',
        test_mode=False,
        pipeline={{_base_.train_pipeline}},
    ),
)

val_dataloader = dict(
    dataset=dict(
        type='AffWild2',
        data_root='data/affwild2',
        preset='8-way',
        window_frames=360,
        ann_file='annotations/EXPR_Recognition_Challenge/Validation_Set',
        test_mode=True,
        pipeline={{_base_.test_pipeline}},
    ),
)
test_dataloader = val_dataloader
