"""TFN (Zadeh et al., EMNLP 2017) on 12 segments of 16 x 112 x 112 pixels, 1 s of sound, and words."""

model = dict(
    type='AffectiveRecognizer',
    data_preprocessor=dict(
        type='LanguageDataPreprocessor',
        text_encoder=dict(type='LexiconVectorEncoder', dims=64),
    ),
    backbone=dict(
        type='TFNBackbone',
        visual=dict(
            type='ConvStream',
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
    head=dict(
        type='TensorFusionHead',
        modalities=('visual', 'audio', 'text'),
        text_dims=64,
        hidden_dims=32,
        text_hidden_dims=128,
        fusion_dims=128,
        dropout=0.2,
        penalty=0.0,
    ),
    temporal_cam=dict(type='TemporalCAM', mode='hadamard'),
)
