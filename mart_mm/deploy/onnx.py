"""Write a recogniser as ONNX: raw frames and log-mel in, emotion and its course out."""

from __future__ import annotations

import json
import warnings
from importlib.util import find_spec
from pathlib import Path

import torch
from mmengine.logging import print_log
from torch import Tensor, nn

from mart_mm.apis.inferencer import MARTInferencer
from mart_mm.deploy.metadata import KEY, ExportError, describe
from mart_mm.models.data_preprocessor import AffectiveDataPreprocessor
from mart_mm.models.heads.temporal_attention import TemporalAttention
from mart_mm.models.recognizers.affective import AffectiveRecognizer
from mart_mm.utils.atomic import replacing

INPUTS = ('imgs', 'audios', 'visual_present', 'audio_present')
OUTPUTS = ('pred_scores', 'temporal_scores')
#: largest difference from PyTorch that is let pass
TOLERANCE = 1e-4
_LARGEST = 1536 * 2**20  # bytes; from there on weights would go to a second file
_LOWEST_OPSET = 18


class RecognizerGraph(nn.Module):
    """The recogniser's prediction as a function of tensors alone.

    Args:
        recognizer: In evaluation mode.

    Raises:
        ExportError: When the recogniser needs more than frames and log-mel.
    """

    def __init__(self, recognizer: AffectiveRecognizer) -> None:
        super().__init__()
        name = type(recognizer.backbone).__name__
        if getattr(recognizer.backbone, 'needs_text', False):
            raise ExportError(
                f'{name} classifies words, which the graph does not take: export a model of picture '
                'and sound, for example MBT'
            )
        if type(recognizer.data_preprocessor) is not AffectiveDataPreprocessor:
            raise ExportError(
                f'{name} behind {type(recognizer.data_preprocessor).__name__} takes no frames: '
                'export a model whose data_preprocessor is AffectiveDataPreprocessor'
            )
        self.recognizer = recognizer

    def forward(
        self, imgs: Tensor, audios: Tensor, visual_present: Tensor, audio_present: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Predict.

        Args:
            imgs: uint8 (B, S, 3, T, H, W), RGB.
            audios: float32 (B, S, F, mel bins), log-mel, not normalised.
            visual_present: Bool (B,), which videos have a picture.
            audio_present: Bool (B,), which have sound.

        Returns:
            ``pred_scores`` (B, C) and ``temporal_scores`` (B, S, C), as
            :meth:`AffectiveRecognizer.predict` gives them.
        """
        model = self.recognizer
        present = dict(visual=visual_present, audio=audio_present)
        inputs = model.data_preprocessor.normalise(dict(imgs=imgs, audios=audios), present)
        output = model.extract_feat(dict(inputs, present=present))
        features = model.head.segment_features(output, imgs.shape[1])
        return (
            model.head.predict(features, present),
            model.temporal_cam(model.head, features, present),
        )


def export_onnx(
    model: str | Path, weights: str | Path | None, out: str | Path, *, opset: int = 18
) -> Path:
    """Write a recogniser as one ``.onnx`` file, and compare what it computes with PyTorch.

    Numbers of videos and segments are free (of segments only where the head allows). Frames and
    log-mel come as they are; normalisation is part of the graph. ``metadata_props['mart_mm']`` says in
    JSON all that is needed to make inputs and to read outputs; ``mart_mm_runtime`` does both.

    Args:
        model: See :class:`~mart_mm.apis.inferencer.MARTInferencer`, which loads it: a checkpoint, or a
            config, or the name of one.
        weights: A checkpoint; None where ``model`` is one.
        out: The file.
        opset: Version of ONNX's operators, 18 or later.

    Returns:
        ``out``.

    Raises:
        ImportError: When what the extra ``onnx`` installs is missing.
        ExportError: When the model cannot be exported.
        FileNotFoundError: When there is no such checkpoint.
        CardError: When the checkpoint does not describe itself.
        WeightsError: When it is of another model.
        ValueError: For an unknown name, a model without weights, or one that reads no videos.
    """
    _check_packages()
    inferencer = MARTInferencer(str(model), weights, device='cpu', show_progress=False)
    metadata = describe(
        inferencer.model, inferencer.card, inferencer.segment_seconds, inferencer.model_info
    )
    return write_onnx(inferencer.model, metadata, out, opset=opset)


def has_fixed_segments(recognizer: AffectiveRecognizer) -> bool:
    """Whether the head has weights for each segment, and so takes one number of them only."""
    return any(isinstance(part, TemporalAttention) for part in recognizer.head.modules())


def write_onnx(
    recognizer: AffectiveRecognizer, metadata: dict, out: str | Path, *, opset: int = 18
) -> Path:
    """What :func:`export_onnx` does with a recogniser at hand.

    Args:
        recognizer: In evaluation mode, on the CPU.
        metadata: What :func:`mart_mm.deploy.metadata.describe` returned.
        out: The file.
        opset: Version of ONNX's operators, 18 or later.
    """
    _check_packages()
    if opset < _LOWEST_OPSET:
        raise ExportError(f'opset={opset}: give {_LOWEST_OPSET} or later')
    size = sum(value.nbytes for value in recognizer.state_dict().values())
    if size > _LARGEST:
        raise ExportError(
            f'{type(recognizer.backbone).__name__} has {size / 2**30:.1f} GiB of weights: one ONNX '
            f'file holds {_LARGEST / 2**30} GiB; take a smaller backbone'
        )
    graph = RecognizerGraph(recognizer).eval()
    has_fixed = has_fixed_segments(recognizer)
    fixed = metadata['frames']['num_segments'] if has_fixed else None
    # more than one of each: an axis of one is taken for a constant
    program = _capture(graph, example_inputs(metadata, 2, fixed or 3), has_fixed, opset)
    program.model.metadata_props[KEY] = json.dumps(metadata, ensure_ascii=False)
    with replacing(out) as temporary:
        program.save(str(temporary), external_data=False)
        difference = max(
            largest_difference(temporary, graph, inputs)
            for inputs in (
                example_inputs(metadata, 3, fixed or 2),
                example_inputs(metadata, 1, fixed or 4, has_sound=False),
            )
        )
        if not difference <= TOLERANCE:
            raise ExportError(
                f'{type(recognizer.backbone).__name__}: ONNX Runtime and PyTorch differ by '
                f'{difference:.1e}, allowed are {TOLERANCE:.0e}: nothing was written'
            )
    print_log(
        f'{out}: {size / 2**20:.1f} MiB of weights, opset {opset}, at most {difference:.1e} from '
        'PyTorch',
        logger='current',
    )
    return Path(out)


def _capture(
    graph: RecognizerGraph, inputs: dict[str, Tensor], is_fixed: bool, opset: int
) -> torch.onnx.ONNXProgram:
    axes = {0: 'batch'} if is_fixed else {0: 'batch', 1: 'segments'}
    shapes = dict(imgs=axes, audios=axes, visual_present={0: 'batch'}, audio_present={0: 'batch'})
    try:
        with torch.no_grad(), warnings.catch_warnings():
            # inputs share their axes, which the exporter finds worth a warning
            warnings.filterwarnings('ignore', message='# The axis name: ')
            return torch.onnx.export(
                graph,
                kwargs=inputs,
                input_names=INPUTS,
                output_names=OUTPUTS,
                opset_version=opset,
                dynamic_shapes=shapes,
                dynamo=True,
                verbose=False,
            )
    except torch.onnx.OnnxExporterError as error:
        cause = error.__cause__ or error
        backbone, head = (
            type(part).__name__ for part in (graph.recognizer.backbone, graph.recognizer.head)
        )
        raise ExportError(
            f'{backbone} with {head} cannot be exported ({type(cause).__name__}: '
            f'{str(cause).strip().splitlines()[0]}): MBT with PolarityConsistentHead can'
        ) from error


def example_inputs(
    metadata: dict, num_videos: int, num_segments: int, *, has_sound: bool = True, seed: int = 0
) -> dict[str, Tensor]:
    """Random inputs of an exported model by name; of several videos the last one is silent.

    Args:
        metadata: Of the model.
        num_videos: B.
        num_segments: S.
        has_sound: Whether any video has sound.
        seed: Of the content.
    """
    frames, sound = metadata['frames'], metadata['sound']
    rng = torch.Generator().manual_seed(seed)
    shape = (num_videos, num_segments, 3, frames['clip_len'], frames['size'], frames['size'])
    audios = torch.randn(
        num_videos, num_segments, sound['num_frames'], sound['num_mels'], generator=rng
    )
    audio_present = torch.full((num_videos,), has_sound)
    if num_videos > 1:
        audio_present[-1] = False
    return dict(
        imgs=torch.randint(0, 256, shape, generator=rng).to(torch.uint8),
        audios=audios * 4 - 4,
        visual_present=torch.ones(num_videos, dtype=torch.bool),
        audio_present=audio_present,
    )


@torch.no_grad()
def largest_difference(
    path: str | Path, graph: RecognizerGraph, inputs: dict[str, Tensor]
) -> float:
    """Largest difference of any output between ONNX Runtime and PyTorch.

    Args:
        path: The ``.onnx`` file.
        graph: The same in PyTorch.
        inputs: By name.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    found = session.run(list(OUTPUTS), {name: value.numpy() for name, value in inputs.items()})
    return max(
        float((torch.from_numpy(value) - wanted).abs().max())
        for value, wanted in zip(found, graph(**inputs), strict=True)
    )


def _check_packages() -> None:
    missing = [name for name in ('onnx', 'onnxscript', 'onnxruntime') if find_spec(name) is None]
    if missing:
        raise ImportError(f"{', '.join(missing)} not installed: pip install 'mart-mm[onnx]'")
