"""MART on R(2+1)D-18 (mmaction2) beside AST, planted affect: only the encoder of the frames differs."""

_base_ = './mart_slowonly-r50_planted.py'

model = dict(
    backbone=dict(
        visual=dict(
            encoder=dict(
                _delete_=True,
                type='ResNet2Plus1d',
                _scope_='mmaction',  # where it looks its convolutions up
                depth=18,
                pretrained2d=False,
                conv_cfg=dict(type='Conv2plus1d'),
                conv1_kernel=(3, 7, 7),
                temporal_strides=(1, 2, 2, 2),
                zero_init_residual=False,
            )
        )
    )
)
