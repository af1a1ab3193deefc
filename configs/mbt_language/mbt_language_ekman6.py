"""MBT with language on Ekman6 without pretext.

python tools/train.py configs/mbt_language/mbt_language_ekman6.py
"""

_base_ = [
    './_base_/mbt_language.py',
    '../_base_/datasets/ekman6.py',
    '../_base_/schedules/supervised_150.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(polarity=[-1, -1, -1, 1, -1, 1]))
