"""MaskFeat on planted affect.

python tools/data/planted/make.py --out data/planted
python tools/train.py configs/maskfeat/maskfeat_mbt_planted.py
"""

_base_ = [
    '../_base_/models/mbt_tiny.py',
    '../_base_/pretexts/maskfeat_tiny.py',
    '../_base_/datasets/ekman6_planted.py',
    '../_base_/schedules/pretext_12_18.py',
    '../_base_/default_runtime.py',
]

model = dict(
    backbone=dict(visual=dict(mask_token=True)),
    head=dict(polarity=[-1, -1, -1, 1, -1, 1]),
    pretext={{_base_.maskfeat_pretext}},
)
