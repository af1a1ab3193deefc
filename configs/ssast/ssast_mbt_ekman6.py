"""SSAST on MBT-B, Ekman6.

python tools/train.py configs/ssast/ssast_mbt_ekman6.py
"""

_base_ = [
    '../_base_/models/mbt.py',
    '../_base_/pretexts/ssast.py',
    '../_base_/datasets/ekman6.py',
    '../_base_/schedules/pretext_100_150.py',
    '../_base_/default_runtime.py',
]

model = dict(
    backbone=dict(audio=dict(mask_token=True)),
    head=dict(polarity=[-1, -1, -1, 1, -1, 1]),
    pretext={{_base_.ssast_pretext}},
)
