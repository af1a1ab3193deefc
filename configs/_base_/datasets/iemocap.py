"""IEMOCAP: utterances in six classes; session 5 is held out."""

_base_ = ['../loaders.py', '../pipelines/segments_12x16x112.py']

train_dataloader = dict(
    dataset=dict(
        type='IEMOCAP',
        data_root='data/iemocap',
        preset='6-way',
        test_session=5,
        crop_speaker=False,
        split='train',
        test_mode=False,
        pipeline={{_base_.train_pipeline}},
    ),
)

val_dataloader = dict(
    dataset=dict(
        type='IEMOCAP',
        data_root='data/iemocap',
        preset='6-way',
        test_session=5,
        crop_speaker=False,
        split='test',
        test_mode=True,
        pipeline={{_base_.test_pipeline}},
    ),
)
test_dataloader = val_dataloader
