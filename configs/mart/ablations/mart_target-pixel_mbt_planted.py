"""MART that recovers pixels alone (Table 5, Pixel)."""

_base_ = '../mart_mbt_planted.py'

model = dict(
    pretext=dict(
        visual=dict(targets=[dict(type='PixelTarget', norm='per_channel', loss_weight=1.0)]),
        audio=dict(targets=[dict(type='FbankTarget', loss_weight=1.0)]),
    )
)
