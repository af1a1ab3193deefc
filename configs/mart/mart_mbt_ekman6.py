"""MART on MBT-B, Ekman6: Table 1 of the paper (52.66 % emotion accuracy there; not measured here yet).

python tools/train.py configs/mart/mart_mbt_ekman6.py
"""

_base_ = [
    '../_base_/models/mart_mbt.py',
    '../_base_/datasets/ekman6.py',
    '../_base_/schedules/mart_100_150.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(polarity=[-1, -1, -1, 1, -1, 1]))
