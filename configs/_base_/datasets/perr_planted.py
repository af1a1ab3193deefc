"""Planted affect in PERR's layout, small: data/planted_perr."""

_base_ = ['./perr.py', '../pipelines/planted_6x4x48.py']

train_dataloader = dict(
    num_workers=1,
    dataset=dict(data_root='data/planted_perr', pipeline={{_base_.planted_train_pipeline}}),
)

val_dataloader = dict(
    num_workers=1,
    dataset=dict(data_root='data/planted_perr', pipeline={{_base_.planted_test_pipeline}}),
)
test_dataloader = val_dataloader
