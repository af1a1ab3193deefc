"""MILAN on planted affect.

python tools/data/planted/make.py --out data/planted
python tools/train.py configs/milan/milan_mbt_planted.py
"""

_base_ = [
    '../_base_/models/mbt_tiny.py',
    '../_base_/pretexts/milan_tiny.py',
    '../_base_/datasets/ekman6_planted.py',
    '../_base_/schedules/pretext_12_18.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(polarity=[-1, -1, -1, 1, -1, 1]), pretext={{_base_.milan_pretext}})
