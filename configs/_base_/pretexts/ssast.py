"""SSAST (Gong et al., AAAI 2022): clusters of 78 % of the sound as mask tokens, InfoNCE + 10 MSE."""

ssast_pretext = dict(
    type='MaskedModeling',
    audio=dict(
        masker=dict(type='ClusterMasker', ratio=400 / 512, min_size=3, max_size=5),
        decoder=dict(type='LinearDecoder', norm=False),
        targets=[dict(type='SSASTTarget', patch_weight=10.0, loss_weight=1.0)],
    ),
    mask_mode='token',
)
