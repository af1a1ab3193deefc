"""TCL on planted affect.

python tools/data/planted/make.py --out data/planted
python tools/train.py configs/tcl/tcl_mbt_planted.py
"""

_base_ = [
    '../_base_/models/mbt_tiny.py',
    '../_base_/pretexts/tcl_tiny.py',
    '../_base_/pipelines/planted_two_views_6x4x48.py',
    '../_base_/datasets/ekman6_planted.py',
    '../_base_/schedules/pretext_12_18.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(polarity=[-1, -1, -1, 1, -1, 1]), pretext={{_base_.tcl_pretext}})
train_dataloader = dict(
    drop_last=True,
    dataset=dict(pretrain_pipeline={{_base_.planted_two_views_pipeline}}),
)
