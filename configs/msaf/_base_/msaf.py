"""MSAF (Su et al., 2020) on 12 segments of 16 x 112 x 112 pixels and 1 s of sound.

3-D ResNeXt-50 makes 1 x 4 x 4 = 16 visual tokens a segment, the 1-D CNN 12 of sound.
"""

model = dict(
    type='AffectiveRecognizer',
    data_preprocessor=dict(
        type='AffectiveDataPreprocessor',
        text_encoder=dict(type='LexiconVectorEncoder', dims=64),
    ),
    backbone=dict(
        type='MSAF',
        visual=dict(
            type='MSAFStream',
            encoder=dict(type='HaraResNet3d', depth=50, cardinality=32),
            input_shape=(16, 112, 112),
            embed_dims=512,
        ),
        audio=dict(
            type='MSAFStream',
            encoder=dict(type='MSAFAudioCNN', base_channels=32),
            input_shape=(128, 100),
            embed_dims=512,
            dropout=0.4,
        ),
        block_channels=(16, 32),
        reduction=4,
        block_dropout=0.2,
    ),
    head=dict(type='SummedLogitsHead', penalty=0.0),
    temporal_cam=dict(type='TemporalCAM', mode='hadamard'),
)
