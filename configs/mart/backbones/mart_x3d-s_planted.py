"""MART on X3D-S (mmaction2) beside AST, planted affect: only the encoder of the frames differs."""

_base_ = './mart_slowonly-r50_planted.py'

model = dict(
    backbone=dict(
        visual=dict(
            encoder=dict(_delete_=True, type='mmaction.X3D', gamma_w=1.0, gamma_b=2.25, gamma_d=2.2)
        )
    )
)
