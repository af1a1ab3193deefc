"""MART on MViTv2-tiny (mmaction2) beside AST, planted affect: only the encoder of the frames differs."""

_base_ = './mart_slowonly-r50_planted.py'

model = dict(
    backbone=dict(
        visual=dict(
            encoder=dict(
                _delete_=True,
                type='mmaction.MViT',
                arch='tiny',
                spatial_size=48,
                temporal_size=4,
                output_cls_token=False,
            )
        )
    )
)
