"""Ekman6: 819 training and 818 test videos, six emotions."""

_base_ = ['../loaders.py', '../pipelines/segments_12x16x112.py']

train_dataloader = dict(
    dataset=dict(
        type='Ekman6',
        data_root='data/ekman6',
        ann_file='annotations/trainlist01.txt',
        test_mode=False,
        pipeline={{_base_.train_pipeline}},
    ),
)

val_dataloader = dict(
    dataset=dict(
        type='Ekman6',
        data_root='data/ekman6',
        ann_file='annotations/testlist01.txt',
        test_mode=True,
        pipeline={{_base_.test_pipeline}},
    ),
)
test_dataloader = val_dataloader
