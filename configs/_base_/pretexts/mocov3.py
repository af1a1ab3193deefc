"""MoCo v3 (Chen et al., ICCV 2021): projector 768-4096-4096-256, predictor 256-4096-256, T 0.2."""

mocov3_pretext = dict(type='MoCoV3', temperature=0.2, momentum=0.99, hidden_dims=4096, dims=256)
