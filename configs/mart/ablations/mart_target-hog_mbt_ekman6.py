"""MART that recovers HOG of the frames (Table 5, HOG); the sound's target is its patches."""

_base_ = '../mart_mbt_ekman6.py'

model = dict(
    pretext=dict(
        visual=dict(targets=[dict(type='HOGTarget', cell=8, loss_weight=1.0)]),
        audio=dict(targets=[dict(type='FbankTarget', loss_weight=1.0)]),
    )
)
