"""Small, for planted affect: 6 segments of 4 frames at 48 px, 0.8 s of sound."""

planted_train_pipeline = [
    dict(
        type='SampleSegments',
        num_segments=6,
        clip_len=4,
        frame_interval=2,
        size=48,
        backend='pyav',
        random=True,
    ),
    dict(type='LoadFrames'),
    dict(type='CropFrames', size=48, random=True),
    dict(type='LoadLogMel', num_frames=80),
    dict(type='MaskSpectrogram', time_width=16, freq_width=24),
    dict(type='LoadTranscript'),
    dict(type='FindCues', lexicon=dict(type='SenticNet6Lexicon')),
    dict(type='PackAffectiveInputs', max_cues=8),
]

planted_test_pipeline = [
    dict(
        type='SampleSegments', num_segments=6, clip_len=4, frame_interval=2, size=48, backend='pyav'
    ),
    dict(type='LoadFrames'),
    dict(type='CropFrames', size=48),
    dict(type='LoadLogMel', num_frames=80),
    dict(type='LoadTranscript'),
    dict(type='FindCues', lexicon=dict(type='SenticNet6Lexicon')),
    dict(type='PackAffectiveInputs', max_cues=8),
]
