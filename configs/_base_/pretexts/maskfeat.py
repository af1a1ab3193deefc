"""MaskFeat (Wei et al., CVPR 2022): cubes of 40 % as mask tokens, HOG read off by a linear layer."""

maskfeat_pretext = dict(
    type='MaskedModeling',
    visual=dict(
        masker=dict(type='CubeMasker', ratio=0.4),
        decoder=dict(type='LinearDecoder'),
        targets=[dict(type='HOGTarget', bins=9, cell=8, loss_weight=1.0)],
    ),
    mask_mode='token',
)
