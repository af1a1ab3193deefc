"""MBT-B with the words as a third stream; the rest as in ../../_base_/models/mbt.py."""

_base_ = '../../_base_/models/mbt.py'

model = dict(
    data_preprocessor=dict(type='LanguageDataPreprocessor'),
    backbone=dict(type='MBTWithLanguage', text_dims=64),
    head=dict(type='LanguageHead'),
)
