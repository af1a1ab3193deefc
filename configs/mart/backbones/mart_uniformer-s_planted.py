"""MART on UniFormer-S (mmaction2) beside AST, planted affect: only the encoder of the frames differs."""

_base_ = './mart_slowonly-r50_planted.py'

model = dict(
    backbone=dict(
        visual=dict(
            encoder=dict(
                _delete_=True,
                type='mmaction.UniFormer',
                img_size=48,
                depth=[3, 4, 8, 3],
                pretrained2d=False,
            )
        )
    )
)
