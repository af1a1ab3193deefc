"""MART on a small TimeSformer (mmaction2) beside AST, planted affect: only the frames' encoder differs."""

_base_ = './mart_slowonly-r50_planted.py'

model = dict(
    backbone=dict(
        visual=dict(
            encoder=dict(
                _delete_=True,
                type='TimeSformerMap',
                img_size=48,
                num_frames=4,
                patch_size=8,
                embed_dims=64,
                depth=4,
                num_heads=4,
            )
        )
    )
)
