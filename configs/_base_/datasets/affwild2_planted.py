"""Planted affect in AffWild2's layout, small: data/planted_affwild2."""

_base_ = ['./affwild2.py', '../pipelines/planted_6x4x48.py']

train_dataloader = dict(
    num_workers=1,
    dataset=dict(
        data_root='data/planted_affwild2',
        window_frames=48,
        pipeline={{_base_.planted_train_pipeline}},
    ),
)

val_dataloader = dict(
    num_workers=1,
    dataset=dict(
        data_root='data/planted_affwild2',
        window_frames=48,
        pipeline={{_base_.planted_test_pipeline}},
    ),
)
test_dataloader = val_dataloader
