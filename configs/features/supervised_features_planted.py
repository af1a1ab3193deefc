"""The same backbone on planted features without pretext.

python tools/data/planted_features/make.py
python tools/train.py configs/features/supervised_features_planted.py
"""

_base_ = [
    '../_base_/models/feature_encoder.py',
    '../_base_/datasets/features_planted.py',
    '../_base_/schedules/supervised_30.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(polarity=[-1, -1, -1, 1, -1, 1]))
