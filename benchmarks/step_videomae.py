"""The step of the VideoMAE row beside ``VideoMAEForPreTraining`` of transformers with sdpa.

Encoder on the visible tenth, decoder 4 x 384, normalised pixels of the hidden tokens; forward and
backward, per clip of 16 frames. Ours draws its masks in the step. Memory is that of one step in a
process of its own.

    python benchmarks/step_videomae.py
    python benchmarks/step_videomae.py --device cuda --amp bf16 --compile --clips 96
"""

from __future__ import annotations

from collections.abc import Callable

from harness import ROOT, Figure, show
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
from mmengine.config import Config
from torch import nn

from mart_mm.models.backbones.vit_stream import VideoViT
from mart_mm.models.pretext.recovery_branch import RecoveryBranch
from mart_mm.models.recognizers.step import compile_blocks
from mart_mm.models.targets.base import RecoveryContext

NAMES = ('ours', 'transformers')


def ours(size: int, depth: int, clips: int, setting: Setting) -> Callable[[], None]:
    """The visual stream of MBT with the branch of ``configs/_base_/pretexts/videomae.py``."""
    config = Config.fromfile(ROOT / 'configs/_base_/pretexts/videomae.py').videomae_pretext
    stream = VideoViT(img_size=size, depth=depth, cls_token=False)
    branch = RecoveryBranch(
        **config.visual,
        stream=stream.spec,
        in_dims=stream.embed_dims,
        num_classes=6,
        is_dropped=True,
        with_mask_token=True,
    )
    model = nn.ModuleDict(dict(stream=stream, branch=branch)).to(setting.device).train()
    if setting.compiled:
        compile_blocks(model)
    pixels = torch.randint(0, 256, (1, clips, 3, 16, size, size), dtype=torch.uint8)
    pixels = pixels.to(setting.device)
    frames = (pixels[0].float() - 116) / 58
    is_present = torch.ones(clips, dtype=torch.bool, device=setting.device)

    def loss() -> torch.Tensor:
        is_masked = branch.masker(
            None, stream.spec.grid, 0.0, batch_size=clips, device=setting.device
        )
        encoded = stream(frames, is_masked=is_masked)
        decoded = branch.decode(encoded.tokens, encoded.embed, is_masked)
        context = RecoveryContext(is_masked, is_present)
        return branch.loss(decoded, dict(pixels=pixels), context)['loss_patch']

    return training_step(model, loss, setting)


def peer(size: int, depth: int, clips: int, setting: Setting) -> Callable[[], None]:
    """``VideoMAEForPreTraining``."""
    from transformers import VideoMAEConfig, VideoMAEForPreTraining

    config = VideoMAEConfig(image_size=size, num_hidden_layers=depth, use_mean_pooling=False)
    config._attn_implementation = 'sdpa'
    model = VideoMAEForPreTraining(config).to(setting.device).train()
    if setting.compiled:
        model.compile()
    frames = torch.randn(clips, 16, 3, size, size, device=setting.device)
    places = (size // 16) ** 2
    is_hidden = torch.rand(clips, places).argsort(1).argsort(1) < int(0.9 * places)
    is_masked = is_hidden.repeat(1, 8).to(setting.device)
    return training_step(model, lambda: model(frames, bool_masked_pos=is_masked).loss, setting)


def step_of(name: str, *args: object) -> Callable[[], None]:
    """A candidate's step."""
    torch.manual_seed(0)
    return ours(*args) if name == 'ours' else peer(*args)


def main() -> None:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument('--clips', type=int, help='in a step; default 4 at 112 pixels, 2 above')
    args = options.parse_args()
    setting, depth = setting_of(args), 2 if args.quick else 12
    if args.measure:
        name, size = args.measure[0], int(args.measure[1])
        if name != 'import':
            step_of(name, size, depth, args.clips or (4 if size <= 112 else 2), setting)()
        return
    runs, sizes = (1, [32]) if args.quick else (args.runs, args.sizes)
    figures: list[Figure] = print_lines([rate_of(vit_shapes(4 * 40), setting)])
    for size in sizes:
        clips = args.clips or (4 if size <= 112 else 2)
        steps = {name: step_of(name, size, depth, clips, setting) for name in NAMES}
        prefix = f'videomae/{size}px'
        figures += print_lines(time_figures(prefix, steps, clips, runs))
        if setting.device == 'cuda':
            memory = [device_memory(step, f'{prefix}/{name}') for name, step in steps.items()]
            figures += print_lines(memory)
        elif not args.quick:
            del steps
            figures += print_lines(memory_figures(prefix, __file__, NAMES, size, setting))
    show('Step, VideoMAE', figures)


if __name__ == '__main__':
    main()
