"""MoCo v3 for planted affect: narrower."""

_base_ = './mocov3.py'

mocov3_pretext = dict(hidden_dims=128, dims=32)
