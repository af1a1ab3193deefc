"""MART on TSM-R50 (mmaction2), which encodes frames that share channels, beside AST, planted affect."""

_base_ = './mart_slowonly-r50_planted.py'

model = dict(
    backbone=dict(
        visual=dict(
            layout='2d',
            encoder=dict(
                _delete_=True,
                type='mmaction.ResNetTSM',
                depth=50,
                num_segments=4,  # frames of a clip
                pretrained2d=False,
            ),
        )
    )
)
