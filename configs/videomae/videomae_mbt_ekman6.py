"""VideoMAE on MBT-B, Ekman6.

python tools/train.py configs/videomae/videomae_mbt_ekman6.py
"""

_base_ = [
    '../_base_/models/mbt.py',
    '../_base_/pretexts/videomae.py',
    '../_base_/datasets/ekman6.py',
    '../_base_/schedules/pretext_100_150.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(polarity=[-1, -1, -1, 1, -1, 1]), pretext={{_base_.videomae_pretext}})
