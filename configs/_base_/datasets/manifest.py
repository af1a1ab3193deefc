"""Own data: a manifest of videos. classes, polarity and mood_table are yours to set."""

_base_ = '../pipelines/segments_12x16x112.py'

train_dataloader = dict(
    batch_size=4,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='ResumableSampler', shuffle=True),
    collate_fn=dict(type='mart_mm.affective_collate'),
    dataset=dict(
        type='ManifestDataset',
        data_root='data/mine',
        ann_file='manifest.csv',
        split='train',
        classes=['negative', 'neutral', 'positive'],
        polarity=[-1, 0, 1],
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
        type='ManifestDataset',
        data_root='data/mine',
        ann_file='manifest.csv',
        split='test',
        classes=['negative', 'neutral', 'positive'],
        polarity=[-1, 0, 1],
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
        type='ManifestDataset',
        data_root='data/mine',
        ann_file='manifest.csv',
        split='test',
        classes=['negative', 'neutral', 'positive'],
        polarity=[-1, 0, 1],
        test_mode=True,
        pipeline={{_base_.test_pipeline}},
    ),
)

val_evaluator = dict(type='EmotionMetric')
test_evaluator = dict(type='EmotionMetric')
