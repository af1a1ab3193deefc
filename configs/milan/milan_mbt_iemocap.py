"""MILAN on MBT-B, IEMOCAP.

python tools/train.py configs/milan/milan_mbt_iemocap.py
"""

_base_ = [
    '../_base_/models/mbt.py',
    '../_base_/pretexts/milan.py',
    '../_base_/datasets/iemocap.py',
    '../_base_/schedules/pretext_100_150.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(polarity=[1, -1, 0, -1, 1, -1]), pretext={{_base_.milan_pretext}})
