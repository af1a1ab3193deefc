"""AffWild2: windows of 360 frames, eight expressions."""

_base_ = '../pipelines/segments_12x16x112.py'

train_dataloader = dict(
    batch_size=4,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='ResumableSampler', shuffle=True),
    collate_fn=dict(type='mart_mm.affective_collate'),
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
    batch_size=4,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='ResumableSampler', shuffle=False),
    collate_fn=dict(type='mart_mm.affective_collate'),
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

test_dataloader = dict(
    batch_size=4,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='ResumableSampler', shuffle=False),
    collate_fn=dict(type='mart_mm.affective_collate'),
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

val_evaluator = dict(type='EmotionMetric')
test_evaluator = dict(type='EmotionMetric')
