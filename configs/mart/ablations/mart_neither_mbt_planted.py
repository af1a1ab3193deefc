"""MART without emotion-oriented masking and without verification (Table 3, first row)."""

_base_ = '../mart_mbt_planted.py'

model = dict(
    pretext=dict(
        verify_level=0,
        visual=dict(masker=dict(_delete_=True, type='RandomMasker', ratio=0.9)),
        audio=dict(masker=dict(_delete_=True, type='RandomMasker', ratio=0.9)),
    )
)
