"""MART that recovers CLIP's features of the frames (Table 5, CLIP), of a small CLIP of random weights."""

_base_ = '../mart_mbt_planted.py'

model = dict(
    pretext=dict(
        visual=dict(
            targets=[
                dict(
                    type='CLIPTarget',
                    clip=dict(
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
                    ),
                    loss_weight=1.0,
                )
            ]
        ),
        audio=dict(targets=[dict(type='FbankTarget', loss_weight=1.0)]),
    )
)
