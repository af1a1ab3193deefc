"""Planted affect as precomputed features, listed in a manifest."""

_base_ = ['../loaders.py', '../pipelines/features_6x8.py']

train_dataloader = dict(
    batch_size=8,
    num_workers=1,
    dataset=dict(
        type='ManifestDataset',
        data_root='data/planted_features',
        ann_file='manifest.csv',
        split='train',
        classes=['anger', 'disgust', 'fear', 'joy', 'sadness', 'surprise'],
        polarity=[-1, -1, -1, 1, -1, 1],
        mood_table=dict(
            anger='anger',
            disgust='disgust',
            fear='fear',
            joy='joy',
            sadness='sadness',
            eagerness='joy',
            calmness='joy',
            pleasantness='joy',
        ),
        test_mode=False,
        pipeline={{_base_.features_pipeline}},
    ),
)

val_dataloader = dict(
    batch_size=8,
    num_workers=1,
    dataset=dict(
        type='ManifestDataset',
        data_root='data/planted_features',
        ann_file='manifest.csv',
        split='test',
        classes=['anger', 'disgust', 'fear', 'joy', 'sadness', 'surprise'],
        polarity=[-1, -1, -1, 1, -1, 1],
        mood_table=dict(
            anger='anger',
            disgust='disgust',
            fear='fear',
            joy='joy',
            sadness='sadness',
            eagerness='joy',
            calmness='joy',
            pleasantness='joy',
        ),
        test_mode=True,
        pipeline={{_base_.features_pipeline}},
    ),
)
test_dataloader = val_dataloader
