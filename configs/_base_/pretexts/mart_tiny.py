"""MART's pretext for planted affect: differs from mart.py in sizes only."""

_base_ = './mart.py'

mart_pretext = dict(
    attention=dict(num_heads=4),
    visual=dict(decoder=dict(dims=48, depth=1, num_heads=3)),
    audio=dict(decoder=dict(dims=48, depth=1, num_heads=3)),
)
