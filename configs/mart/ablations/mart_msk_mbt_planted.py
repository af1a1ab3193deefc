"""MART with emotion-oriented masking, words unverified (Table 3, Msk)."""

_base_ = '../mart_mbt_planted.py'

model = dict(pretext=dict(verify_level=0))
