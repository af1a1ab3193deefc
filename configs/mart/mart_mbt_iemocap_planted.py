"""MART on planted affect in IEMOCAP's layout.

python tools/data/planted/make.py --layout iemocap --out data/planted_iemocap
python tools/train.py configs/mart/mart_mbt_iemocap_planted.py
"""

_base_ = [
    '../_base_/models/mart_mbt_tiny.py',
    '../_base_/datasets/iemocap_planted.py',
    '../_base_/schedules/mart_12_18.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(polarity=[1, -1, 0, -1, 1, -1]))
