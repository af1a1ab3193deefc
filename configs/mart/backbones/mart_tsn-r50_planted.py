"""MART on TSN's ResNet-50 (mmaction2), which encodes frame by frame, beside AST, planted affect."""

_base_ = './mart_slowonly-r50_planted.py'

model = dict(
    backbone=dict(
        visual=dict(layout='2d', encoder=dict(_delete_=True, type='mmaction.ResNet', depth=50))
    )
)
