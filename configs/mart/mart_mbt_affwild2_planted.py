"""MART on planted affect in AffWild2's layout.

python tools/data/planted/make.py --layout affwild2 --out data/planted_affwild2
python tools/train.py configs/mart/mart_mbt_affwild2_planted.py
"""

_base_ = [
    '../_base_/models/mart_mbt_tiny.py',
    '../_base_/datasets/affwild2_planted.py',
    '../_base_/schedules/mart_12_18.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(polarity=[0, -1, -1, -1, 1, -1, 1, 0]))
