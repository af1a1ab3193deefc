"""MART on MBT-B from VideoMAE (Kinetics-400) and AST (AudioSet) weights, on Ekman6.

Put the checkpoints where ``pretrained`` says, in Hugging Face's or the authors' layout. As in MBT with
pretrained AST, its first eight blocks are not trained.
"""

_base_ = './mart_mbt_ekman6.py'

model = dict(
    backbone=dict(
        visual=dict(pretrained='checkpoints/videomae_vit-b_k400.pth'),
        audio=dict(pretrained='checkpoints/ast_audioset.pth', frozen_stages=8),
    )
)
