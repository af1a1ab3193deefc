"""MART on MBT-B."""

_base_ = ['./mbt.py', '../pretexts/mart.py']

model = dict(pretext={{_base_.mart_pretext}})
