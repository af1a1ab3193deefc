"""Ekman6: 12 segments of 16 consecutive frames at 112 px, 1 s of sound, the words of each segment.

No mood of SenticNet 6 means surprise; its eager, calm and pleasant words speak for joy.
"""

train_dataloader = dict(
    batch_size=4,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='ResumableSampler', shuffle=True),
    collate_fn=dict(type='mart_mm.affective_collate'),
    dataset=dict(
        type='Ekman6',
        data_root='data/ekman6',
        ann_file='annotations/trainlist01.txt',
        test_mode=False,
        pipeline=[
            dict(
                type='SampleSegments',
                num_segments=12,
                clip_len=16,
                frame_interval=1,
                size=128,
                random=True,
            ),
            dict(type='LoadFrames'),
            dict(type='CropFrames', size=112, random=True),
            dict(type='DisturbFrames', prob=0.3),
            dict(type='LoadLogMel', num_frames=100),
            dict(type='MaskSpectrogram', time_width=192, freq_width=24),
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
            dict(type='PackAffectiveInputs', max_cues=40),
        ],
    ),
)

val_dataloader = dict(
    batch_size=4,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='ResumableSampler', shuffle=False),
    collate_fn=dict(type='mart_mm.affective_collate'),
    dataset=dict(
        type='Ekman6',
        data_root='data/ekman6',
        ann_file='annotations/testlist01.txt',
        test_mode=True,
        pipeline=[
            dict(type='SampleSegments', num_segments=12, clip_len=16, frame_interval=1, size=128),
            dict(type='LoadFrames'),
            dict(type='CropFrames', size=112),
            dict(type='LoadLogMel', num_frames=100),
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
            dict(type='PackAffectiveInputs', max_cues=40),
        ],
    ),
)

test_dataloader = dict(
    batch_size=4,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='ResumableSampler', shuffle=False),
    collate_fn=dict(type='mart_mm.affective_collate'),
    dataset=dict(
        type='Ekman6',
        data_root='data/ekman6',
        ann_file='annotations/testlist01.txt',
        test_mode=True,
        pipeline=[
            dict(type='SampleSegments', num_segments=12, clip_len=16, frame_interval=1, size=128),
            dict(type='LoadFrames'),
            dict(type='CropFrames', size=112),
            dict(type='LoadLogMel', num_frames=100),
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
            dict(type='PackAffectiveInputs', max_cues=40),
        ],
    ),
)

val_evaluator = dict(type='EmotionMetric')
test_evaluator = dict(type='EmotionMetric')
