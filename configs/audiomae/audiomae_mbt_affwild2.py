"""AudioMAE on MBT-B, AffWild2.

python tools/train.py configs/audiomae/audiomae_mbt_affwild2.py
"""

_base_ = [
    '../_base_/models/mbt.py',
    '../_base_/pretexts/audiomae.py',
    '../_base_/datasets/affwild2.py',
    '../_base_/schedules/pretext_100_150.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(polarity=[0, -1, -1, -1, 1, -1, 1, 0]), pretext={{_base_.audiomae_pretext}})
