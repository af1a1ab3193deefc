"""MaskFeat on MBT-B, IEMOCAP.

python tools/train.py configs/maskfeat/maskfeat_mbt_iemocap.py
"""

_base_ = [
    '../_base_/models/mbt.py',
    '../_base_/pretexts/maskfeat.py',
    '../_base_/datasets/iemocap.py',
    '../_base_/schedules/pretext_100_150.py',
    '../_base_/default_runtime.py',
]

model = dict(
    backbone=dict(visual=dict(mask_token=True)),
    head=dict(polarity=[1, -1, 0, -1, 1, -1]),
    pretext={{_base_.maskfeat_pretext}},
)
