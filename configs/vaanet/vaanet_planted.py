"""VAANet on planted affect without pretext, as many epochs as MART in both stages.

python tools/train.py configs/vaanet/vaanet_planted.py
"""

_base_ = [
    './_base_/vaanet_tiny.py',
    '../_base_/datasets/ekman6_planted.py',
    '../_base_/schedules/supervised_30.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(polarity=[-1, -1, -1, 1, -1, 1]))
