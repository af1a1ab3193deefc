"""MART on an MBT of 64 x 2 for planted affect: differs from mart_mbt.py in sizes only."""

_base_ = ['./mbt_tiny.py', '../pretexts/mart_tiny.py']

model = dict(pretext={{_base_.mart_pretext}})
