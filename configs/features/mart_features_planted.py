"""MART on precomputed features: planted ones.

python tools/data/planted_features/make.py
python tools/train.py configs/features/mart_features_planted.py
"""

_base_ = [
    '../_base_/models/feature_encoder.py',
    '../_base_/pretexts/mart_features.py',
    '../_base_/datasets/features_planted.py',
    '../_base_/schedules/mart_12_18.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(polarity=[-1, -1, -1, 1, -1, 1]), pretext={{_base_.mart_features_pretext}})
