"""MART on your own precomputed features, 6 segments of 8 tokens each.

python tools/data/import_features.py manifest.csv --out my    # writes a child of this config
python tools/train.py my/mart_features.py
"""

_base_ = [
    '../_base_/models/feature_encoder.py',
    '../_base_/pretexts/mart_features.py',
    '../_base_/datasets/features_manifest.py',
    '../_base_/schedules/mart_12_18.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(polarity=[-1, 0, 1]), pretext={{_base_.mart_features_pretext}})
