"""Concatenation of the means of 3-D ResNet-101 and ResNet-18: what MART's repository calls TFN."""

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
    head=dict(type='TFNConcatHead', audio_dims=256, penalty=0.5),
    temporal_cam=dict(type='TemporalCAM', mode='hadamard'),
)
