"""IEMOCAP: utterances in six classes; session 5 is held out."""

_base_ = '../pipelines/segments_12x16x112.py'

train_dataloader = dict(
    batch_size=4,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='ResumableSampler', shuffle=True),
    collate_fn=dict(type='mart_mm.affective_collate'),
    dataset=dict(
        type='IEMOCAP',
        data_root='data/iemocap',
        preset='6-way',
        test_session=5,
        crop_speaker=False,
        split='train',
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
        type='IEMOCAP',
        data_root='data/iemocap',
        preset='6-way',
        test_session=5,
        crop_speaker=False,
        split='test',
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
        type='IEMOCAP',
        data_root='data/iemocap',
        preset='6-way',
        test_session=5,
        crop_speaker=False,
        split='test',
        test_mode=True,
        pipeline={{_base_.test_pipeline}},
    ),
)

val_evaluator = dict(type='EmotionMetric')
test_evaluator = dict(type='EmotionMetric')
