"""Own data in a manifest, small: 6 segments of 4 frames at 48 px."""

_base_ = ['./manifest.py', '../pipelines/planted_6x4x48.py']

train_dataloader = dict(num_workers=1, dataset=dict(pipeline={{_base_.planted_train_pipeline}}))

val_dataloader = dict(num_workers=1, dataset=dict(pipeline={{_base_.planted_test_pipeline}}))
test_dataloader = val_dataloader
