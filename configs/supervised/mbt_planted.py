"""MBT on planted affect without pretext, with as many epochs as MART has in both stages.

python tools/train.py configs/supervised/mbt_planted.py
"""

_base_ = [
    '../_base_/models/mbt_tiny.py',
    '../_base_/datasets/ekman6_planted.py',
    '../_base_/schedules/supervised_30.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(polarity=[-1, -1, -1, 1, -1, 1]))
