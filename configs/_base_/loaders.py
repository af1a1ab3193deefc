"""What the loaders of all data sets share: four videos at a time, order and resume by seed and epoch."""

train_dataloader = dict(
    batch_size=4,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='BalancedSampler', shuffle=True),
    collate_fn=dict(type='mart_mm.affective_collate'),
    worker_init_fn=dict(type='mart_mm.end_with_parent'),
)
val_dataloader = dict(
    batch_size=4,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='ResumableSampler', shuffle=False),
    collate_fn=dict(type='mart_mm.affective_collate'),
    worker_init_fn=dict(type='mart_mm.end_with_parent'),
)
test_dataloader = val_dataloader

val_evaluator = dict(type='EmotionMetric')
test_evaluator = dict(type='EmotionMetric')
