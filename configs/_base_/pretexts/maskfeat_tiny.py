"""MaskFeat for planted affect: cells of 4 pixels, as patches are of 8."""

_base_ = './maskfeat.py'

maskfeat_pretext = dict(
    visual=dict(targets=[dict(type='HOGTarget', bins=9, cell=4, loss_weight=1.0)])
)
