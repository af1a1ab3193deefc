"""MART's pretext, as in ../models/mart_mbt.py, for models other than MBT."""

mart_pretext = dict(
    type='MaskedAffectivePretext',
    verifier=dict(type='LexiconVerifier', threshold=0.5),
    attention=dict(type='LexiconAttention', num_heads=8),
    tacl=dict(type='TACL', temperature=0.1),
    visual=dict(
        masker=dict(type='EmotionMasker', r_min=0.1, r_max=0.5),
        decoder=dict(type='TransformerDecoder', dims=512, depth=8, num_heads=16),
        targets=[
            dict(type='PixelTarget', norm='per_channel', loss_weight=0.05),
            dict(type='EmotionDistributionTarget', loss_weight=1.0),
        ],
    ),
    audio=dict(
        masker=dict(type='EmotionMasker', r_min=0.1, r_max=0.5),
        decoder=dict(type='TransformerDecoder', dims=512, depth=8, num_heads=16),
        targets=[
            dict(type='FbankTarget', loss_weight=0.05),
            dict(type='EmotionDistributionTarget', loss_weight=1.0),
        ],
    ),
    verify_level=3,
    self_attention_share=0.9,
)
