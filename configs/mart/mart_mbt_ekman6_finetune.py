"""Finetune a recogniser that was pretrained before, on Ekman6: the second stage alone.

python tools/train.py configs/mart/mart_mbt_ekman6_finetune.py --cfg-options load_from=.../pretrained.pth
"""

_base_ = '../supervised/mbt_ekman6.py'

load_from = 'work_dirs/mart_mbt_ekman6/pretrained.pth'
