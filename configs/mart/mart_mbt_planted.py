"""MART on planted affect in Ekman6's layout: the main job in minutes on two CPU cores.

Differs from mart_mbt_ekman6.py in sizes only.

python tools/data/planted/make.py --out data/planted
python tools/train.py configs/mart/mart_mbt_planted.py
"""

_base_ = [
    '../_base_/models/mart_mbt_tiny.py',
    '../_base_/datasets/ekman6_planted.py',
    '../_base_/schedules/mart_12_18.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(polarity=[-1, -1, -1, 1, -1, 1]))
