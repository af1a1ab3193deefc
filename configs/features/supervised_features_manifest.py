"""The same backbone on your own precomputed features without pretext.

python tools/data/import_features.py manifest.csv --out my \\
    --base configs/features/supervised_features_manifest.py
python tools/train.py my/supervised_features.py
"""

_base_ = [
    '../_base_/models/feature_encoder.py',
    '../_base_/datasets/features_manifest.py',
    '../_base_/schedules/supervised_30.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(polarity=[-1, 0, 1]))
