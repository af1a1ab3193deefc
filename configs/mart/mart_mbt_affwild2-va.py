"""MART on MBT-B, AffWild2's valence and arousal: the quadrants of their plane, and its centre."""

_base_ = './mart_mbt_affwild2.py'

model = dict(head=dict(polarity=[0, 1, -1, -1, 1]))
train_dataloader = dict(
    dataset=dict(preset='valence_arousal', ann_file='annotations/VA_Estimation_Challenge/Train_Set')
)
val_dataloader = dict(
    dataset=dict(
        preset='valence_arousal', ann_file='annotations/VA_Estimation_Challenge/Validation_Set'
    )
)
test_dataloader = dict(
    dataset=dict(
        preset='valence_arousal', ann_file='annotations/VA_Estimation_Challenge/Validation_Set'
    )
)
