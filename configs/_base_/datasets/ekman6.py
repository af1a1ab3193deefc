"""Ekman6: 819 training and 818 test videos, six emotions."""

_base_ = '../pipelines/segments_12x16x112.py'

train_dataloader = dict(
    batch_size=4,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='ResumableSampler', shuffle=True),
    collate_fn=dict(type='mart_mm.affective_collate'),
    dataset=dict(
        type='Ekman6',
        data_root='data/ekman6',
        ann_file='annotations/trainlist01.txt',
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
        type='Ekman6',
        data_root='data/ekman6',
        ann_file='annotations/testlist01.txt',
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
        type='Ekman6',
        data_root='data/ekman6',
        ann_file='annotations/testlist01.txt',
        test_mode=True,
        pipeline={{_base_.test_pipeline}},
    ),
)

val_evaluator = dict(type='EmotionMetric')
test_evaluator = dict(type='EmotionMetric')
