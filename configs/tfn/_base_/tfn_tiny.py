"""TFN for planted affect: differs from tfn.py in sizes only."""

_base_ = './tfn.py'

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
    head=dict(hidden_dims=16, text_hidden_dims=32, fusion_dims=64),
)
