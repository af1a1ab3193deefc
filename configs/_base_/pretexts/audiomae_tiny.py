"""AudioMAE for planted affect: a smaller decoder."""

_base_ = './audiomae.py'

audiomae_pretext = dict(audio=dict(decoder=dict(dims=48, depth=1, num_heads=3)))
