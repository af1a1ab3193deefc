"""Two views of a video with the augmentation of MoCo v3; sizes as in segments_12x16x112.py."""

two_views_pipeline = [
    dict(
        type='TwoViews',
        first=[
            dict(
                type='SampleSegments',
                num_segments=12,
                clip_len=16,
                frame_interval=1,
                size=128,
                random=True,
            ),
            dict(type='LoadFrames'),
            dict(type='RandomResizedCrop', size=112),
            dict(type='FlipFrames', prob=0.5),
            dict(type='DistortColours', blur=1.0, solarise=0.0),
            dict(type='LoadLogMel', num_frames=100),
            dict(type='MaskSpectrogram', time_width=192, freq_width=24),
            dict(type='LoadTranscript'),
            dict(type='FindCues', lexicon=dict(type='SenticNet6Lexicon')),
            dict(type='PackAffectiveInputs', max_cues=40),
        ],
        second=[
            dict(
                type='SampleSegments',
                num_segments=12,
                clip_len=16,
                frame_interval=1,
                size=128,
                random=True,
            ),
            dict(type='LoadFrames'),
            dict(type='RandomResizedCrop', size=112),
            dict(type='FlipFrames', prob=0.5),
            dict(type='DistortColours', blur=0.1, solarise=0.2),
            dict(type='LoadLogMel', num_frames=100),
            dict(type='MaskSpectrogram', time_width=192, freq_width=24),
            dict(type='LoadTranscript'),
            dict(type='FindCues', lexicon=dict(type='SenticNet6Lexicon')),
            dict(type='PackAffectiveInputs', max_cues=40),
        ],
    )
]
