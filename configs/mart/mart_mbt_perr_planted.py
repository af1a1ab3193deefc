"""MART on planted affect in PERR's layout.

python tools/data/planted/make.py --layout perr --out data/planted_perr
python tools/train.py configs/mart/mart_mbt_perr_planted.py
"""

_base_ = [
    '../_base_/models/mart_mbt_tiny.py',
    '../_base_/datasets/perr_planted.py',
    '../_base_/schedules/mart_12_18.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(polarity=[0, 1, 1, -1, -1]))
