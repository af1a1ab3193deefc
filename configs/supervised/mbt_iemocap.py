"""MBT-B on IEMOCAP, six classes without pretext: the baseline (Table 2 of the paper; not measured here).

python tools/train.py configs/supervised/mbt_iemocap.py
"""

_base_ = [
    '../_base_/models/mbt.py',
    '../_base_/datasets/iemocap.py',
    '../_base_/schedules/supervised_150.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(polarity=[1, -1, 0, -1, 1, -1]))
