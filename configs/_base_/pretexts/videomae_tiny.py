"""VideoMAE for planted affect: a smaller decoder."""

_base_ = './videomae.py'

videomae_pretext = dict(visual=dict(decoder=dict(dims=48, depth=1, num_heads=3)))
