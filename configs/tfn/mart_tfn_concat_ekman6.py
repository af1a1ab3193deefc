"""TFN without tensor fusion on Ekman6, taught by MART first.

python tools/train.py configs/tfn/mart_tfn_concat_ekman6.py
"""

_base_ = [
    './_base_/tfn_concat.py',
    '../_base_/pretexts/mart.py',
    '../_base_/datasets/ekman6.py',
    '../_base_/schedules/mart_100_150.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(polarity=[-1, -1, -1, 1, -1, 1]), pretext={{_base_.mart_pretext}})
