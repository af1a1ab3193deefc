"""Precomputed features: 6 segments of 8 tokens of each modality, and the words of each segment."""

features_pipeline = [
    dict(type='LoadTranscript'),
    dict(
        type='LoadFeatures',
        num_segments=6,
        dims=dict(visual=35, audio=74),
        num_tokens=dict(visual=8, audio=8),
    ),
    dict(type='FindCues', lexicon=dict(type='SenticNet6Lexicon')),
    dict(type='PackFeatureInputs', max_cues=8),
]
