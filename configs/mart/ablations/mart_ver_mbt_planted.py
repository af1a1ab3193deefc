"""MART with verification, random 90 % masking (Table 3, Ver; Table 4, Random)."""

_base_ = '../mart_mbt_planted.py'

model = dict(
    pretext=dict(
        visual=dict(masker=dict(_delete_=True, type='RandomMasker', ratio=0.9)),
        audio=dict(masker=dict(_delete_=True, type='RandomMasker', ratio=0.9)),
    )
)
