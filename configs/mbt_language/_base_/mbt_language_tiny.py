"""MBT with language for planted affect; the rest as in ../../_base_/models/mbt_tiny.py."""

_base_ = '../../_base_/models/mbt_tiny.py'

model = dict(
    data_preprocessor=dict(type='LanguageDataPreprocessor'),
    backbone=dict(type='MBTWithLanguage', text_dims=64),
    head=dict(type='LanguageHead'),
)
