"""MART in one masked pass per step, on planted affect: differs in sizes only.

python tools/train.py configs/mart/cheaper/mart_remembered_mbt_planted.py
"""

_base_ = '../mart_mbt_planted.py'

model = dict(pretext=dict(type='RememberedAffectivePretext', num_videos=1024, num_segments=6))
# the memory gathers all processes' batches itself: there is nothing to send before each step
model_wrapper_cfg = dict(broadcast_buffers=False)
