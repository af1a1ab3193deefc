"""MGMAE on MBT-B, PERR.

python tools/train.py configs/mgmae/mgmae_mbt_perr.py
"""

_base_ = [
    '../_base_/models/mbt.py',
    '../_base_/pretexts/mgmae.py',
    '../_base_/datasets/perr.py',
    '../_base_/schedules/pretext_100_150.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(polarity=[0, 1, 1, -1, -1]), pretext={{_base_.mgmae_pretext}})
