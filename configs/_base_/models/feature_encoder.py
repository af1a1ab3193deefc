"""Two streams of precomputed features, 8 tokens a segment each, that meet in bottleneck tokens."""

model = dict(
    type='AffectiveRecognizer',
    data_preprocessor=dict(
        type='FeatureDataPreprocessor',
        text_encoder=dict(type='LexiconVectorEncoder', dims=64),
        dims=dict(visual=35, audio=74),
        stats='data/planted_features/feature_stats.npz',
    ),
    backbone=dict(
        type='FeatureEncoder',
        visual=dict(in_dims=35, num_tokens=8, embed_dims=64, depth=2, num_heads=4),
        audio=dict(in_dims=74, num_tokens=8, embed_dims=64, depth=2, num_heads=4),
        num_bottlenecks=4,
        fusion_layer=1,
    ),
    head=dict(type='PolarityConsistentHead', pool='max', penalty=0.5),
    temporal_cam=dict(type='TemporalCAM', mode='hadamard'),
)
