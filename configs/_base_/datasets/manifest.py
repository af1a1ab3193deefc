"""Own data: a manifest of videos. classes, polarity and mood_table are yours to set."""

_base_ = ['../loaders.py', '../pipelines/segments_12x16x112.py']

train_dataloader = dict(
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
test_dataloader = val_dataloader
