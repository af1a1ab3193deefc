"""The step of the supervised MBT's visual stream beside other implementations of the same encoder.

All tokens of ViT-B, forward and backward, per clip of 16 frames: ours, ``VideoMAEModel`` of
transformers with sdpa, ``VisionTransformer`` of mmaction2. Memory is that of one step in a process
of its own.

    python benchmarks/step_encoder.py
    python benchmarks/step_encoder.py --device cuda --amp bf16 --compile --clips 48
"""

from __future__ import annotations

from collections.abc import Callable

from harness import Figure, show
from step_parts import (
    Setting,
    device_memory,
    memory_figures,
    parser,
    print_lines,
    rate_of,
    setting_of,
    time_figures,
    training_step,
    vit_shapes,
)

import torch  # isort: skip
from torch import nn

from mart_mm.models.backbones.vit_stream import VideoViT
from mart_mm.models.recognizers.step import compile_blocks

NAMES = ('ours', 'transformers', 'mmaction2')


def build(name: str, size: int, depth: int) -> nn.Module:
    """A candidate: ViT-B on 16 frames of ``size`` pixels."""
    if name == 'ours':
        return VideoViT(img_size=size, depth=depth)
    if name == 'transformers':
        from transformers import VideoMAEConfig, VideoMAEModel

        config = VideoMAEConfig(image_size=size, num_hidden_layers=depth)
        config._attn_implementation = 'sdpa'
        return VideoMAEModel(config)
    from mmaction.models.backbones.vit_mae import VisionTransformer

    return VisionTransformer(img_size=size, depth=depth, return_feat_map=True)


def step_of(name: str, size: int, depth: int, clips: int, setting: Setting) -> Callable[[], None]:
    """Its training step on random clips."""
    torch.manual_seed(0)
    model = build(name, size, depth).to(setting.device).train()
    if setting.compiled:
        if name == 'ours':
            compile_blocks(model)
        else:
            model.compile()
    x = torch.randn(clips, 3, 16, size, size, device=setting.device)
    if name == 'transformers':
        x = x.transpose(1, 2).contiguous()

    def loss() -> torch.Tensor:
        out = model(x)
        if name == 'ours':
            out = out.tokens
        elif name == 'transformers':
            out = out.last_hidden_state
        return out.float().square().mean()

    return training_step(model, loss, setting)


def main() -> None:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument('--clips', type=int, help='in a step; default 2 at 112 pixels, 1 above')
    args = options.parse_args()
    setting, depth = setting_of(args), 2 if args.quick else 12
    if args.measure:
        name, size = args.measure
        if name != 'import':
            step_of(name, int(size), depth, args.clips or 2, setting)()
        return
    runs, sizes = (1, [32]) if args.quick else (args.runs, args.sizes)
    figures: list[Figure] = print_lines([rate_of(vit_shapes(2 * 392), setting)])
    for size in sizes:
        clips = args.clips or (2 if size <= 112 else 1)
        steps = {name: step_of(name, size, depth, clips, setting) for name in NAMES}
        prefix = f'encoder/{size}px'
        figures += print_lines(time_figures(prefix, steps, clips, runs))
        if setting.device == 'cuda':
            memory = [device_memory(step, f'{prefix}/{name}') for name, step in steps.items()]
            figures += print_lines(memory)
        elif size == max(sizes) and not args.quick:
            del steps
            names = ('ours', 'mmaction2')
            figures += print_lines(memory_figures(prefix, __file__, names, size, setting))
    show('Step, all tokens', figures)


if __name__ == '__main__':
    main()
