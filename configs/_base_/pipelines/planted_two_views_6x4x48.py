"""Two views of a planted video; sizes as in planted_6x4x48.py."""

planted_two_views_pipeline = [
    dict(
        type='TwoViews',
        first=[
            dict(
                type='SampleSegments',
                num_segments=6,
                clip_len=4,
                frame_interval=2,
                size=48,
                random=True,
                backend='pyav',
            ),
            dict(type='LoadFrames'),
            dict(type='RandomResizedCrop', size=48),
            dict(type='FlipFrames', prob=0.5),
            dict(type='DistortColours', blur=1.0, solarise=0.0),
            dict(type='LoadLogMel', num_frames=80),
            dict(type='MaskSpectrogram', time_width=16, freq_width=24),
            dict(type='LoadTranscript'),
            dict(type='FindCues', lexicon=dict(type='SenticNet6Lexicon')),
            dict(type='PackAffectiveInputs', max_cues=8),
        ],
        second=[
            dict(
                type='SampleSegments',
                num_segments=6,
                clip_len=4,
                frame_interval=2,
                size=48,
                random=True,
                backend='pyav',
            ),
            dict(type='LoadFrames'),
            dict(type='RandomResizedCrop', size=48),
            dict(type='FlipFrames', prob=0.5),
            dict(type='DistortColours', blur=0.1, solarise=0.2),
            dict(type='LoadLogMel', num_frames=80),
            dict(type='MaskSpectrogram', time_width=16, freq_width=24),
            dict(type='LoadTranscript'),
            dict(type='FindCues', lexicon=dict(type='SenticNet6Lexicon')),
            dict(type='PackAffectiveInputs', max_cues=8),
        ],
    )
]
