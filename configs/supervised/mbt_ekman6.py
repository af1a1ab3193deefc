"""MBT-B on Ekman6 without pretext: the baseline of Table 1 (48.08 % there; not measured here yet).

python tools/train.py configs/supervised/mbt_ekman6.py
"""

_base_ = [
    '../_base_/models/mbt.py',
    '../_base_/datasets/ekman6.py',
    '../_base_/schedules/supervised_150.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(polarity=[-1, -1, -1, 1, -1, 1]))
