"""MART on MBT-B, PERR (Table 1 of the paper; not measured here).

python tools/train.py configs/mart/mart_mbt_perr.py
"""

_base_ = [
    '../_base_/models/mart_mbt.py',
    '../_base_/datasets/perr.py',
    '../_base_/schedules/mart_100_150.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(polarity=[0, 1, 1, -1, -1]))
