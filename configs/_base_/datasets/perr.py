"""PERR: drama clips, the emotion between two people in five classes."""

_base_ = ['../loaders.py', '../pipelines/segments_12x16x112.py']

train_dataloader = dict(
    dataset=dict(
        type='PERR',
        data_root='data/perr',
        ann_file='annotations/train.csv',
        test_mode=False,
        pipeline={{_base_.train_pipeline}},
    ),
)

val_dataloader = dict(
    dataset=dict(
        type='PERR',
        data_root='data/perr',
        ann_file='annotations/test.csv',
        test_mode=True,
        pipeline={{_base_.test_pipeline}},
    ),
)
test_dataloader = val_dataloader
