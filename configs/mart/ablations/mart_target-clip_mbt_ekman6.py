"""MART that recovers CLIP's features of the frames (Table 5, CLIP); the sound's target is its patches."""

_base_ = '../mart_mbt_ekman6.py'

model = dict(
    pretext=dict(
        visual=dict(targets=[dict(type='CLIPTarget', clip=dict(), loss_weight=1.0)]),
        audio=dict(targets=[dict(type='FbankTarget', loss_weight=1.0)]),
    )
)
