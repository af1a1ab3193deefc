"""MART on mmaction2's VideoMAE ViT beside AST, planted affect: only the backbone differs."""

_base_ = '../mart_mbt_planted.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='TwoStreamBackbone',
        visual=dict(
            type='FeatureMapStream',
            encoder=dict(
                type='mmaction.VisionTransformer',
                img_size=48,
                num_frames=4,
                patch_size=8,
                embed_dims=64,
                depth=4,
                num_heads=4,
                mlp_ratio=4,
                qkv_bias=True,
                use_mean_pooling=False,
                return_feat_map=True,
            ),
            input_shape=(4, 48, 48),
            embed_dims=64,
        ),
        audio=dict(
            type='AudioSpectrogramTransformer',
            num_frames=80,
            stride=16,
            embed_dims=64,
            depth=4,
            num_heads=4,
        ),
    )
)
