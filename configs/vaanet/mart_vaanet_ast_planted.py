"""VAANet with AST for the sound on planted affect, taught by MART first.

python tools/train.py configs/vaanet/mart_vaanet_ast_planted.py
"""

_base_ = [
    './_base_/vaanet_ast_tiny.py',
    '../_base_/pretexts/mart_tiny.py',
    '../_base_/datasets/ekman6_planted.py',
    '../_base_/schedules/mart_12_18.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(polarity=[-1, -1, -1, 1, -1, 1]), pretext={{_base_.mart_pretext}})
