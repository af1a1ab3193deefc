"""MSAF for planted affect: differs from msaf.py in sizes only.

4 x 48 x 48 pixels make 1 x 6 x 6 = 36 visual tokens, 80 log-mel frames 9.
"""

_base_ = './msaf.py'

model = dict(
    data_preprocessor=dict(audio_mean=-4.19, audio_std=1.34),  # of the planted sound
    backbone=dict(
        visual=dict(
            encoder=dict(cardinality=4, base_channels=8, strides=(1, 2, 1, 1)),
            input_shape=(4, 48, 48),
            embed_dims=64,
        ),
        audio=dict(encoder=dict(base_channels=16), input_shape=(128, 80), embed_dims=64),
        block_channels=(8, 16),
    ),
)
