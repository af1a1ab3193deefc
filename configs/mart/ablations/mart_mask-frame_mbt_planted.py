"""MART with frame masking, 40 % (Table 4)."""

_base_ = '../mart_mbt_planted.py'

model = dict(
    pretext=dict(
        visual=dict(masker=dict(_delete_=True, type='FrameMasker', ratio=0.4)),
        audio=dict(masker=dict(_delete_=True, type='FrameMasker', ratio=0.4)),
    )
)
