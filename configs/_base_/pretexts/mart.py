"""MART's pretext in the paper's form. Symbols of the paper stand beside their options."""

mart_pretext = dict(
    type='MaskedAffectivePretext',
    verifier=dict(type='LexiconVerifier', threshold=0.5),  # tau of E3; the paper gives no value
    attention=dict(type='LexiconAttention', num_heads=8),  # H of Eq. 4
    # tau of Eq. 5; the paper gives no weight, and 1 drowns the classification: configs/mart/README.md
    tacl=dict(type='TACL', temperature=0.1, loss_weight=0.1),
    visual=dict(
        masker=dict(type='EmotionMasker', r_min=0.1, r_max=0.5),  # Eq. 7, 10~50 of Table 4
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
    self_attention_share=0.9,  # as in the released code; see configs/mart/README.md
)
