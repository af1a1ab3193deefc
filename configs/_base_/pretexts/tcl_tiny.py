"""TCL for planted affect: narrow, from random weights on whole words."""

_base_ = './tcl.py'

tcl_pretext = dict(
    text=dict(
        embed_dims=64,
        depth=2,
        num_heads=4,
        fusion_layer=1,
        vocab_size=4096,
        pretrained=None,
    ),
    dims=32,
    queue_size=32,
)
