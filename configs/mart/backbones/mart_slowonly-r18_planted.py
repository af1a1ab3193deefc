"""MART on a narrow SlowOnly-R18 (mmaction2) beside AST, planted affect: only the backbone differs."""

_base_ = '../mart_mbt_planted.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='TwoStreamBackbone',
        visual=dict(
            type='FeatureMapStream',
            encoder=dict(
                type='mmaction.ResNet3dSlowOnly', depth=18, base_channels=16, pretrained=None
            ),
            input_shape=(4, 48, 48),
            embed_dims=64,
        ),
        audio=dict(
            type='AudioSpectrogramTransformer',
            num_frames=80,
            stride=16,
            embed_dims=64,
            depth=2,
            num_heads=4,
        ),
    )
)
