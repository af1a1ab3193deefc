"""MILAN for planted affect: small, CLIP of random weights, as no download is made."""

_base_ = './milan.py'

_clip = dict(
    dims=32,
    config=dict(
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        image_size=48,
        patch_size=8,
        projection_dim=32,
    ),
)
milan_pretext = dict(
    visual=dict(
        importance=dict(clip=_clip),
        decoder=dict(dims=48, depth=1, num_heads=3),
        targets=[dict(type='CLIPTarget', clip=_clip, all_tokens=True, loss_weight=1.0)],
    )
)
del _clip
