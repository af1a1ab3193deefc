"""VideoMAE V2 for planted affect: a smaller decoder."""

_base_ = './videomaev2.py'

videomaev2_pretext = dict(visual=dict(decoder=dict(dims=48, depth=1, num_heads=3)))
