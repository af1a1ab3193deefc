"""VAANet for planted affect: differs from vaanet.py in sizes only.

4 x 48 x 48 pixels make 1 x 6 x 6 = 36 visual tokens, 128 x 80 log-mel 8 x 3 = 24.
"""

_base_ = './vaanet.py'

model = dict(
    data_preprocessor=dict(audio_mean=-4.19, audio_std=1.34),  # of the planted sound
    backbone=dict(
        visual=dict(
            encoder=dict(depth=18, base_channels=16, strides=(1, 2, 1, 1)),
            input_shape=(4, 48, 48),
            embed_dims=64,
        ),
        audio=dict(encoder=dict(base_channels=16), input_shape=(128, 80), embed_dims=64),
    ),
    head=dict(num_segments=6, audio_dims=32),
)
