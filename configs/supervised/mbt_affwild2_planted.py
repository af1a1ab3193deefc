"""MBT on planted affect in AffWild2's layout, without pretext.

python tools/data/planted/make.py --layout affwild2 --out data/planted_affwild2
python tools/train.py configs/supervised/mbt_affwild2_planted.py
"""

_base_ = [
    '../_base_/models/mbt_tiny.py',
    '../_base_/datasets/affwild2_planted.py',
    '../_base_/schedules/supervised_30.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(polarity=[0, -1, -1, -1, 1, -1, 1, 0]))
