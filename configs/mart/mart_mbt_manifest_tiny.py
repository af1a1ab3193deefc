"""A small MART for own data on a small machine: to try things, not to get the best of them."""

_base_ = [
    '../_base_/models/mart_mbt_tiny.py',
    '../_base_/datasets/manifest_tiny.py',
    '../_base_/schedules/mart_12_18.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(polarity=[-1, 0, 1]))
