"""MBT-B on 12 segments of 16 x 112 x 112 pixels and 1 s of sound; no pretext.

112 px and 16 frames make 8 x 7 x 7 = 392 visual tokens a segment, 100 x 128 log-mel 12 x 9 = 108.
"""

model = dict(
    type='AffectiveRecognizer',
    data_preprocessor=dict(
        type='AffectiveDataPreprocessor',
        text_encoder=dict(type='LexiconVectorEncoder', dims=64),
    ),
    backbone=dict(
        type='MBT',
        visual=dict(
            type='VideoViT', img_size=112, num_frames=16, embed_dims=768, depth=12, num_heads=12
        ),
        audio=dict(
            type='AudioSpectrogramTransformer',
            num_frames=100,
            embed_dims=768,
            depth=12,
            num_heads=12,
        ),
        num_bottlenecks=32,
        fusion_layer=8,
    ),
    head=dict(type='PolarityConsistentHead', pool='max', penalty=0.5),
    temporal_cam=dict(type='TemporalCAM', mode='hadamard'),
)
