"""MART in one masked pass per step: attention and temporal emotion scores are those of the last visit.

python tools/train.py configs/mart/cheaper/mart_remembered_mbt_ekman6.py
"""

_base_ = '../mart_mbt_ekman6.py'

model = dict(pretext=dict(type='RememberedAffectivePretext', num_videos=1024, num_segments=12))
# the memory gathers all processes' batches itself: there is nothing to send before each step
model_wrapper_cfg = dict(broadcast_buffers=False)
