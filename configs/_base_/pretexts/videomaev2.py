"""VideoMAE V2 (Wang et al., CVPR 2023): VideoMAE that decodes half of the tokens, in running cells."""

videomaev2_pretext = dict(
    type='MaskedModeling',
    visual=dict(
        masker=dict(type='TubeMasker', ratio=0.9),
        decoder_masker=dict(type='RunningCellMasker', ratio=0.5),
        decoder=dict(type='TransformerDecoder', dims=384, depth=4, num_heads=6, embed_bias=False),
        targets=[dict(type='PixelTarget', norm='per_channel', loss_weight=1.0)],
    ),
)
