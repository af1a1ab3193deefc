"""12 segments of 16 consecutive frames at 112 px, 1 s of sound, the words of each segment."""

train_pipeline = [
    dict(
        type='SampleSegments', num_segments=12, clip_len=16, frame_interval=1, size=128, random=True
    ),
    dict(type='LoadFrames'),
    dict(type='CropFrames', size=112, random=True),
    dict(type='DisturbFrames', prob=0.3),
    dict(type='LoadLogMel', num_frames=100),
    dict(type='MaskSpectrogram', time_width=192, freq_width=24),
    dict(type='LoadTranscript'),
    dict(type='FindCues', lexicon=dict(type='SenticNet6Lexicon')),
    dict(type='PackAffectiveInputs', max_cues=40),
]

test_pipeline = [
    dict(type='SampleSegments', num_segments=12, clip_len=16, frame_interval=1, size=128),
    dict(type='LoadFrames'),
    dict(type='CropFrames', size=112),
    dict(type='LoadLogMel', num_frames=100),
    dict(type='LoadTranscript'),
    dict(type='FindCues', lexicon=dict(type='SenticNet6Lexicon')),
    dict(type='PackAffectiveInputs', max_cues=40),
]
