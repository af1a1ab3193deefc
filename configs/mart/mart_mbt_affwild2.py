"""MART on MBT-B, AffWild2, eight expressions (Table 2 of the paper; not measured here).

python tools/train.py configs/mart/mart_mbt_affwild2.py
"""

_base_ = [
    '../_base_/models/mart_mbt.py',
    '../_base_/datasets/affwild2.py',
    '../_base_/schedules/mart_100_150.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(polarity=[0, -1, -1, -1, 1, -1, 1, 0]))
