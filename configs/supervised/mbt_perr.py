"""MBT-B on PERR without pretext: the baseline (Table 1 of the paper; not measured here).

python tools/train.py configs/supervised/mbt_perr.py
"""

_base_ = [
    '../_base_/models/mbt.py',
    '../_base_/datasets/perr.py',
    '../_base_/schedules/supervised_150.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(polarity=[0, 1, 1, -1, -1]))
