"""MaskFeat on MBT-B, PERR.

python tools/train.py configs/maskfeat/maskfeat_mbt_perr.py
"""

_base_ = [
    '../_base_/models/mbt.py',
    '../_base_/pretexts/maskfeat.py',
    '../_base_/datasets/perr.py',
    '../_base_/schedules/pretext_100_150.py',
    '../_base_/default_runtime.py',
]

model = dict(
    backbone=dict(visual=dict(mask_token=True)),
    head=dict(polarity=[0, 1, 1, -1, -1]),
    pretext={{_base_.maskfeat_pretext}},
)
