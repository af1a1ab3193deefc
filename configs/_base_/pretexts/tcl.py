"""TCL (Yang et al., CVPR 2022): half of BERT-base reads, half fuses; 256 wide, T 0.07, momentum 0.995."""

tcl_pretext = dict(
    type='TCL',
    text=dict(
        type='FusionBert',
        embed_dims=768,
        depth=12,
        num_heads=12,
        fusion_layer=6,
        max_length=128,
        pretrained='bert-base-uncased',
    ),
    dims=256,
    temperature=0.07,
    momentum=0.995,
    queue_size=1024,
    soft_share=0.4,
    mask_ratio=0.15,
)
