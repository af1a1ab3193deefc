"""MBT-B on AffWild2, eight expressions, without pretext: the baseline (Table 2; not measured here).

python tools/train.py configs/supervised/mbt_affwild2.py
"""

_base_ = [
    '../_base_/models/mbt.py',
    '../_base_/datasets/affwild2.py',
    '../_base_/schedules/supervised_150.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(polarity=[0, -1, -1, -1, 1, -1, 1, 0]))
