"""VideoMAE (Tong et al., NeurIPS 2022): tubes of 90 %, pixels normalised per channel, decoder 4 x 384."""

videomae_pretext = dict(
    type='MaskedModeling',
    visual=dict(
        masker=dict(type='TubeMasker', ratio=0.9),
        decoder=dict(type='TransformerDecoder', dims=384, depth=4, num_heads=6, embed_bias=False),
        targets=[dict(type='PixelTarget', norm='per_channel', loss_weight=1.0)],
    ),
)
