"""Planted affect in Ekman6's layout, small: data/planted."""

_base_ = ['./ekman6.py', '../pipelines/planted_6x4x48.py']

train_dataloader = dict(
    num_workers=1,
    dataset=dict(data_root='data/planted', pipeline={{_base_.planted_train_pipeline}}),
)

val_dataloader = dict(
    num_workers=1, dataset=dict(data_root='data/planted', pipeline={{_base_.planted_test_pipeline}})
)
test_dataloader = val_dataloader
