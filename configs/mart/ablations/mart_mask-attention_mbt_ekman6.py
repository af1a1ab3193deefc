"""MART that masks the tokens of lowest attention, 10 to 50 % (MST, Table 4)."""

_base_ = '../mart_mbt_ekman6.py'

model = dict(
    pretext=dict(
        self_attention_share=1.0,
        visual=dict(
            masker=dict(_delete_=True, type='AttentionMasker', kind='low', r_min=0.1, r_max=0.5)
        ),
        audio=dict(
            masker=dict(_delete_=True, type='AttentionMasker', kind='low', r_min=0.1, r_max=0.5)
        ),
    )
)
