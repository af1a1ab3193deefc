"""VAANet with an AST for the sound, the variant in MART's repository; 12 x 9 tokens of sound."""

_base_ = './vaanet.py'

model = dict(
    backbone=dict(
        visual=dict(embed_dims=768),
        audio=dict(
            _delete_=True,
            type='AudioSpectrogramTransformer',
            num_frames=100,
            embed_dims=768,
            depth=12,
            num_heads=12,
        ),
    ),
)
