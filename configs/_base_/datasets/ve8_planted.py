"""Planted affect in VideoEmotion8's layout, small: data/planted_video_emotion8."""

_base_ = ['./ve8.py', '../pipelines/planted_6x4x48.py']

train_dataloader = dict(
    num_workers=1,
    dataset=dict(
        data_root='data/planted_video_emotion8', pipeline={{_base_.planted_train_pipeline}}
    ),
)

val_dataloader = dict(
    num_workers=1,
    dataset=dict(
        data_root='data/planted_video_emotion8', pipeline={{_base_.planted_test_pipeline}}
    ),
)
test_dataloader = val_dataloader
