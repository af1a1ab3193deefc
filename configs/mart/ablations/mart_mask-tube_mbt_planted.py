"""MART with tube masking, 95 % (Table 4)."""

_base_ = '../mart_mbt_planted.py'

model = dict(
    pretext=dict(
        visual=dict(masker=dict(_delete_=True, type='TubeMasker', ratio=0.95)),
        audio=dict(masker=dict(_delete_=True, type='TubeMasker', ratio=0.95)),
    )
)
