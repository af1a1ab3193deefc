"""Planted affect in Ekman6's layout, small: 6 segments of 4 frames at 48 px, 0.8 s of sound."""

train_dataloader = dict(
    batch_size=4,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='ResumableSampler', shuffle=True),
    collate_fn=dict(type='mart_mm.affective_collate'),
    dataset=dict(
        type='Ekman6',
        data_root='data/planted',
        ann_file='annotations/trainlist01.txt',
        test_mode=False,
        pipeline=[
            dict(
                type='SampleSegments',
                num_segments=6,
                clip_len=4,
                frame_interval=2,
                backend='pyav',
                random=True,
            ),
            dict(type='LoadFrames'),
            dict(type='CropFrames', size=48, random=True),
            dict(type='LoadLogMel', num_frames=80),
            dict(type='MaskSpectrogram', time_width=16, freq_width=24),
            dict(type='LoadTranscript'),
            dict(
                type='FindCues',
                lexicon=dict(type='SenticNet6Lexicon'),
                mood_map=dict(
                    classes=['anger', 'disgust', 'fear', 'joy', 'sadness', 'surprise'],
                    table=dict(
                        anger='anger',
                        disgust='disgust',
                        fear='fear',
                        joy='joy',
                        sadness='sadness',
                        eagerness='joy',
                        calmness='joy',
                        pleasantness='joy',
                    ),
                ),
            ),
            dict(type='PackAffectiveInputs', max_cues=8),
        ],
    ),
)

val_dataloader = dict(
    batch_size=4,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='ResumableSampler', shuffle=False),
    collate_fn=dict(type='mart_mm.affective_collate'),
    dataset=dict(
        type='Ekman6',
        data_root='data/planted',
        ann_file='annotations/testlist01.txt',
        test_mode=True,
        pipeline=[
            dict(
                type='SampleSegments', num_segments=6, clip_len=4, frame_interval=2, backend='pyav'
            ),
            dict(type='LoadFrames'),
            dict(type='CropFrames', size=48),
            dict(type='LoadLogMel', num_frames=80),
            dict(type='LoadTranscript'),
            dict(
                type='FindCues',
                lexicon=dict(type='SenticNet6Lexicon'),
                mood_map=dict(
                    classes=['anger', 'disgust', 'fear', 'joy', 'sadness', 'surprise'],
                    table=dict(
                        anger='anger',
                        disgust='disgust',
                        fear='fear',
                        joy='joy',
                        sadness='sadness',
                        eagerness='joy',
                        calmness='joy',
                        pleasantness='joy',
                    ),
                ),
            ),
            dict(type='PackAffectiveInputs', max_cues=8),
        ],
    ),
)

test_dataloader = dict(
    batch_size=4,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='ResumableSampler', shuffle=False),
    collate_fn=dict(type='mart_mm.affective_collate'),
    dataset=dict(
        type='Ekman6',
        data_root='data/planted',
        ann_file='annotations/testlist01.txt',
        test_mode=True,
        pipeline=[
            dict(
                type='SampleSegments', num_segments=6, clip_len=4, frame_interval=2, backend='pyav'
            ),
            dict(type='LoadFrames'),
            dict(type='CropFrames', size=48),
            dict(type='LoadLogMel', num_frames=80),
            dict(type='LoadTranscript'),
            dict(
                type='FindCues',
                lexicon=dict(type='SenticNet6Lexicon'),
                mood_map=dict(
                    classes=['anger', 'disgust', 'fear', 'joy', 'sadness', 'surprise'],
                    table=dict(
                        anger='anger',
                        disgust='disgust',
                        fear='fear',
                        joy='joy',
                        sadness='sadness',
                        eagerness='joy',
                        calmness='joy',
                        pleasantness='joy',
                    ),
                ),
            ),
            dict(type='PackAffectiveInputs', max_cues=8),
        ],
    ),
)

val_evaluator = dict(type='EmotionMetric')
test_evaluator = dict(type='EmotionMetric')
