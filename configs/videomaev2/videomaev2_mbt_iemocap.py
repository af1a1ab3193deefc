"""VideoMAE V2 on MBT-B, IEMOCAP.

python tools/train.py configs/videomaev2/videomaev2_mbt_iemocap.py
"""

_base_ = [
    '../_base_/models/mbt.py',
    '../_base_/pretexts/videomaev2.py',
    '../_base_/datasets/iemocap.py',
    '../_base_/schedules/pretext_100_150.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(polarity=[1, -1, 0, -1, 1, -1]), pretext={{_base_.videomaev2_pretext}})
