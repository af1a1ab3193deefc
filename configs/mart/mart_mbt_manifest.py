"""MART on MBT-B, own data listed in a manifest.

python tools/train.py configs/mart/mart_mbt_manifest.py
"""

_base_ = [
    '../_base_/models/mart_mbt.py',
    '../_base_/datasets/manifest.py',
    '../_base_/schedules/mart_100_150.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(polarity=[-1, 0, 1]))
