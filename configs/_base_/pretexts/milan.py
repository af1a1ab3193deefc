"""MILAN (Hou et al., 2022): keeps what CLIP attends to, recovers CLIP's features of all tokens.

``clip.name_or_path`` may be a local folder.
"""

milan_pretext = dict(
    type='MaskedModeling',
    visual=dict(
        importance=dict(type='CLIPAttention', clip=dict()),
        masker=dict(type='ImportanceSampledMasker', ratio=0.75),
        decoder=dict(type='PromptingDecoder', dims=512, depth=8, num_heads=16),
        targets=[dict(type='CLIPTarget', clip=dict(), all_tokens=True, loss_weight=1.0)],
    ),
)
