"""MART on planted affect in VideoEmotion8's layout.

python tools/data/planted/make.py --layout video_emotion8 --out data/planted_video_emotion8
python tools/train.py configs/mart/mart_mbt_ve8_planted.py
"""

_base_ = [
    '../_base_/models/mart_mbt_tiny.py',
    '../_base_/datasets/ve8_planted.py',
    '../_base_/schedules/mart_12_18.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(polarity=[-1, 1, -1, -1, 1, -1, 1, 1]))
