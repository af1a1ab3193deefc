"""MSAF on Ekman6 without pretext.

python tools/train.py configs/msaf/msaf_ekman6.py
"""

_base_ = [
    './_base_/msaf.py',
    '../_base_/datasets/ekman6.py',
    '../_base_/schedules/supervised_150.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(polarity=[-1, -1, -1, 1, -1, 1]))
