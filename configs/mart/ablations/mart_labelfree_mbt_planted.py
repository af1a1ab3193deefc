"""MART without labels in pretraining: no classification loss, so no temporal CAM to verify words by.

Words of the lexicon are used unverified, and what is recovered are patches alone. Labels come in with
finetuning only.
"""

_base_ = '../mart_mbt_planted.py'

model = dict(
    pretext=dict(
        with_cls_loss=False,
        verify_level=0,
        visual=dict(targets=[dict(type='PixelTarget', norm='per_channel', loss_weight=1.0)]),
        audio=dict(targets=[dict(type='FbankTarget', loss_weight=1.0)]),
    )
)
