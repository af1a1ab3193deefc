"""Planted affect in IEMOCAP's layout, small: data/planted_iemocap."""

_base_ = ['./iemocap.py', '../pipelines/planted_6x4x48.py']

train_dataloader = dict(
    num_workers=1,
    dataset=dict(
        data_root='data/planted_iemocap',
        crop_speaker=True,
        pipeline={{_base_.planted_train_pipeline}},
    ),
)

val_dataloader = dict(
    num_workers=1,
    dataset=dict(
        data_root='data/planted_iemocap',
        crop_speaker=True,
        pipeline={{_base_.planted_test_pipeline}},
    ),
)
test_dataloader = val_dataloader
