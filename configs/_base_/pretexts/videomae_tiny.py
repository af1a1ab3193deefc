"""VideoMAE for planted affect: a smaller decoder."""

_base_ = './videomae.py'

videomae_pretext = dict(visual=dict(decoder=dict(dims=64, depth=2, num_heads=4)))
