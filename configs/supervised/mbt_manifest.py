"""MBT-B on own data listed in a manifest without pretext: the baseline.

python tools/train.py configs/supervised/mbt_manifest.py
"""

_base_ = [
    '../_base_/models/mbt.py',
    '../_base_/datasets/manifest.py',
    '../_base_/schedules/supervised_150.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(polarity=[-1, 0, 1]))
