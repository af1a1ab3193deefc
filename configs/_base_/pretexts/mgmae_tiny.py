"""MGMAE for planted affect: small, flow by DIS, which needs no weights."""

_base_ = './mgmae.py'

mgmae_pretext = dict(
    visual=dict(
        importance=dict(flow=dict(_delete_=True, type='DISFlow')),
        decoder=dict(dims=48, depth=1, num_heads=3),
    )
)
