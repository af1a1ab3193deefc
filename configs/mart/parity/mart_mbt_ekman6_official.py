"""All deviations of the released code from the paper that run, together (nku-zhichengzhang/MART@2413e65).

Not for use, but to compare: among them are its mistakes, such as a contrastive loss of the wrong sign and
a pretext that no optimiser holds. It also feeds raw text to BERT, for which weights are needed:
``text_encoder=dict(type='BertTextEncoder', name_or_path=FOLDER, dims=768)``; the words of the lexicon
stand in for them here.
"""

_base_ = '../mart_mbt_ekman6.py'

model = dict(
    data_preprocessor=dict(mean=(100.0, 100.0, 100.0), std=(255.0, 255.0, 255.0)),
    backbone=dict(visual=dict(cls_position='shift'), audio=dict(frozen_stages=8)),
    head=dict(pool='mean'),
    temporal_cam=dict(mode='logits'),
    pretext=dict(
        verify_level=0,
        attention=dict(qkv_act='relu'),
        tacl=dict(_delete_=True, type='OfficialCPC', sign=-1),
        aux_classifier=dict(type='LexiconAwareClassifier'),
        mask_stage='decoder',
        visual=dict(
            masker=dict(reveal='random_top', mask_prob=0.5),
            targets=[dict(type='PixelTarget', norm='per_channel', loss_weight=0.05)],
        ),
        audio=None,
        freeze=True,
    ),
)

train_dataloader = dict(batch_size=1)
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='Adam', lr=1e-4, weight_decay=1e-3),
    accumulative_counts=36,
    clip_grad=None,
)
param_scheduler = []
