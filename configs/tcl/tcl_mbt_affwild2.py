"""TCL on MBT-B, AffWild2.

python tools/train.py configs/tcl/tcl_mbt_affwild2.py
"""

_base_ = [
    '../_base_/models/mbt.py',
    '../_base_/pretexts/tcl.py',
    '../_base_/pipelines/two_views_12x16x112.py',
    '../_base_/datasets/affwild2.py',
    '../_base_/schedules/pretext_100_150.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(polarity=[0, -1, -1, -1, 1, -1, 1, 0]), pretext={{_base_.tcl_pretext}})
# contrast needs a batch: 16 videos at a time instead of 4 accumulated nine times
train_dataloader = dict(
    batch_size=16,
    drop_last=True,
    dataset=dict(pretrain_pipeline={{_base_.two_views_pipeline}}),
)
optim_wrapper = dict(accumulative_counts=2)
