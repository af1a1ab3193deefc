"""CTEN (Zhang et al., CVPR 2023) on 12 segments of 16 x 112 x 112 pixels and 1 s of sound."""

model = dict(
    type='AffectiveRecognizer',
    data_preprocessor=dict(
        type='AffectiveDataPreprocessor',
        text_encoder=dict(type='LexiconVectorEncoder', dims=64),
    ),
    backbone=dict(
        type='TwoStreamBackbone',
        visual=dict(
            type='ConvStream',
            encoder=dict(type='HaraResNet3d', depth=101),
            input_shape=(16, 112, 112),
            embed_dims=2048,
        ),
        audio=dict(
            type='ConvStream',
            encoder=dict(type='SpectrogramResNet', depth=18),
            input_shape=(128, 100),
            embed_dims=2048,
        ),
    ),
    head=dict(
        type='CTENHead',
        num_segments=12,
        inner_dims=256,
        num_heads=8,
        erase_share=0.7,
        dropout=0.2,
        penalty=0.0,
    ),
    temporal_cam=dict(type='TemporalCAM', mode='hadamard'),
)
