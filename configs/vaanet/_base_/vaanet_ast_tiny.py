"""VAANet with an AST for planted affect; the rest as in vaanet_tiny.py."""

_base_ = './vaanet_tiny.py'

model = dict(
    backbone=dict(
        audio=dict(
            _delete_=True,
            type='AudioSpectrogramTransformer',
            num_frames=80,
            stride=16,
            embed_dims=64,
            depth=2,
            num_heads=4,
        ),
    ),
)
