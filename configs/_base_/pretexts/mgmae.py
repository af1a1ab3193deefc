"""MGMAE (Huang et al., ICCV 2023): VideoMAE whose visible tokens move with the picture.

RAFT-small needs torchvision's weights; ``flow=dict(_delete_=True, type='DISFlow')`` needs none.
"""

mgmae_pretext = dict(
    type='MaskedModeling',
    visual=dict(
        importance=dict(type='MotionVisibleMap', flow=dict(type='RAFTFlow'), ratio=0.9),
        masker=dict(type='MotionGuidedMasker', ratio=0.9),
        decoder=dict(type='TransformerDecoder', dims=384, depth=4, num_heads=6, embed_bias=False),
        targets=[dict(type='PixelTarget', norm='per_channel', loss_weight=1.0)],
    ),
)
