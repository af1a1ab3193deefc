"""MART on I3D-R50 (mmaction2) beside AST, planted affect: only the encoder of the frames differs."""

_base_ = './mart_slowonly-r50_planted.py'

model = dict(
    backbone=dict(
        visual=dict(
            encoder=dict(
                _delete_=True,
                type='mmaction.ResNet3d',
                depth=50,
                pretrained2d=False,
                conv1_kernel=(5, 7, 7),
                inflate=((1, 1, 1), (1, 0, 1, 0), (1, 0, 1, 0, 1, 0), (0, 1, 0)),
                zero_init_residual=False,
            )
        )
    )
)
