"""AudioMAE (Huang et al., NeurIPS 2022): 80 % of the sound, normalised log-mel patches."""

audiomae_pretext = dict(
    type='MaskedModeling',
    audio=dict(
        masker=dict(type='RandomMasker', ratio=0.8),
        decoder=dict(
            type='TransformerDecoder',
            dims=512,
            depth=8,
            num_heads=16,
            positions='axial',
            class_token='encoder',
        ),
        targets=[dict(type='FbankTarget', norm_patch=True, loss_weight=1.0)],
    ),
)
