"""MBT of 64 x 2 for planted affect.

4 x 48 x 48 pixels make 2 x 6 x 6 = 72 visual tokens, 80 x 128 log-mel 8 x 5 = 40.
"""

_base_ = './mbt.py'

model = dict(
    data_preprocessor=dict(audio_mean=-4.19, audio_std=1.34),  # of the planted sound
    backbone=dict(
        visual=dict(img_size=48, num_frames=4, patch_size=8, embed_dims=64, depth=2, num_heads=4),
        audio=dict(num_frames=80, stride=16, embed_dims=64, depth=2, num_heads=4),
        num_bottlenecks=4,
        fusion_layer=1,
    ),
)
