"""VAANet (Zhao et al., AAAI 2020) on 12 segments of 16 x 112 x 112 pixels and 1 s of sound.

3-D ResNet-101 and ResNet-18 make 1 x 4 x 4 = 16 visual tokens a segment and 8 x 4 = 32 of sound.
"""

model = dict(
    type='AffectiveRecognizer',
    data_preprocessor=dict(
        type='AffectiveDataPreprocessor',
        text_encoder=dict(type='LexiconVectorEncoder', dims=64),
    ),
    backbone=dict(
        type='TwoStreamBackbone',
        visual=dict(
            type='VAANetVisualStream',
            encoder=dict(type='HaraResNet3d', depth=101),
            input_shape=(16, 112, 112),
            embed_dims=512,
        ),
        audio=dict(
            type='ConvStream',
            encoder=dict(type='SpectrogramResNet', depth=18),
            input_shape=(128, 100),
            embed_dims=512,
        ),
    ),
    head=dict(type='VAANetHead', num_segments=12, audio_dims=256, penalty=0.5),
    temporal_cam=dict(type='TemporalCAM', mode='hadamard'),
)
