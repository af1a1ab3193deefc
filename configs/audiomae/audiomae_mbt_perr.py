"""AudioMAE on MBT-B, PERR.

python tools/train.py configs/audiomae/audiomae_mbt_perr.py
"""

_base_ = [
    '../_base_/models/mbt.py',
    '../_base_/pretexts/audiomae.py',
    '../_base_/datasets/perr.py',
    '../_base_/schedules/pretext_100_150.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(polarity=[0, 1, 1, -1, -1]), pretext={{_base_.audiomae_pretext}})
