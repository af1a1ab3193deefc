"""SSAST on planted affect.

python tools/data/planted/make.py --out data/planted
python tools/train.py configs/ssast/ssast_mbt_planted.py
"""

_base_ = [
    '../_base_/models/mbt_tiny.py',
    '../_base_/pretexts/ssast.py',
    '../_base_/datasets/ekman6_planted.py',
    '../_base_/schedules/pretext_12_18.py',
    '../_base_/default_runtime.py',
]

model = dict(
    backbone=dict(audio=dict(mask_token=True)),
    head=dict(polarity=[-1, -1, -1, 1, -1, 1]),
    pretext={{_base_.ssast_pretext}},
)
