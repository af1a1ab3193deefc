"""MBT on planted affect in PERR's layout, without pretext.

python tools/data/planted/make.py --layout perr --out data/planted_perr
python tools/train.py configs/supervised/mbt_perr_planted.py
"""

_base_ = [
    '../_base_/models/mbt_tiny.py',
    '../_base_/datasets/perr_planted.py',
    '../_base_/schedules/supervised_30.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(polarity=[0, 1, 1, -1, -1]))
