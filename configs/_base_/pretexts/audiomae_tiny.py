"""AudioMAE for planted affect: a smaller decoder."""

_base_ = './audiomae.py'

audiomae_pretext = dict(audio=dict(decoder=dict(dims=64, depth=2, num_heads=4)))
