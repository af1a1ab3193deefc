"""MAE-ST (Feichtenhofer et al., NeurIPS 2022): any 90 % of space-time, one frame of each tubelet."""

maest_pretext = dict(
    type='MaskedModeling',
    visual=dict(
        masker=dict(type='RandomMasker', ratio=0.9),
        decoder=dict(
            type='TransformerDecoder',
            dims=512,
            depth=4,
            num_heads=16,
            positions='learned',
            class_token='own',
        ),
        targets=[dict(type='PixelTarget', norm='per_patch', frames='first', loss_weight=1.0)],
    ),
)
