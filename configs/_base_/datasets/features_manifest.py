"""Own precomputed features: a manifest of files. classes and polarity are yours to set."""

_base_ = ['../loaders.py', '../pipelines/features_6x8.py']

train_dataloader = dict(
    batch_size=8,
    num_workers=2,
    dataset=dict(
        type='ManifestDataset',
        data_root='data/mine',
        ann_file='manifest.csv',
        split='train',
        classes=['negative', 'neutral', 'positive'],
        polarity=[-1, 0, 1],
        test_mode=False,
        pipeline={{_base_.features_pipeline}},
    ),
)

val_dataloader = dict(
    batch_size=8,
    num_workers=2,
    dataset=dict(
        type='ManifestDataset',
        data_root='data/mine',
        ann_file='manifest.csv',
        split='test',
        classes=['negative', 'neutral', 'positive'],
        polarity=[-1, 0, 1],
        test_mode=True,
        pipeline={{_base_.features_pipeline}},
    ),
)
test_dataloader = val_dataloader
