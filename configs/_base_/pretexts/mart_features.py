"""MART's pretext on precomputed features: what is hidden and recovered are feature vectors."""

mart_features_pretext = dict(
    type='MaskedAffectivePretext',
    verifier=dict(type='LexiconVerifier', threshold=0.5),
    attention=dict(type='LexiconAttention', num_heads=4),
    tacl=dict(type='TACL', temperature=0.1, loss_weight=0.1),
    visual=dict(
        masker=dict(type='EmotionMasker', r_min=0.1, r_max=0.5),
        decoder=dict(type='TransformerDecoder', dims=48, depth=1, num_heads=3),
        targets=[
            dict(type='FeatureTarget', modality='visual', dims=35, loss_weight=0.05),
            dict(type='EmotionDistributionTarget', loss_weight=1.0),
        ],
    ),
    audio=dict(
        masker=dict(type='EmotionMasker', r_min=0.1, r_max=0.5),
        decoder=dict(type='TransformerDecoder', dims=48, depth=1, num_heads=3),
        targets=[
            dict(type='FeatureTarget', modality='audio', dims=74, loss_weight=0.05),
            dict(type='EmotionDistributionTarget', loss_weight=1.0),
        ],
    ),
    verify_level=3,
    self_attention_share=0.9,
)
