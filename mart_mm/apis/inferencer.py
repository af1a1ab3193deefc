"""Inference on videos of any length, in the manner of MMEngine's inferencers."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from mmengine.config import Config, ConfigDict
from mmengine.infer import BaseInferencer
from mmengine.logging import print_log
from mmengine.registry import init_default_scope
from torch import nn
from tqdm import tqdm

from mart_mm.apis.inference.checkpoint import (
    build_for_prediction,
    card_of,
    read_checkpoint,
)
from mart_mm.apis.inference.inputs import Source, Video, list_videos, transcripts_for
from mart_mm.apis.inference.outcome import Outcome
from mart_mm.apis.inference.predict import Progress, VideoPredictor
from mart_mm.apis.inference.windows import WindowPipeline
from mart_mm.apis.inference.writing import write_outcome
from mart_mm.apis.splits import find_step
from mart_mm.datasets.base import build_transforms
from mart_mm.datasets.collate import affective_collate
from mart_mm.errors import MediaError
from mart_mm.lexicon.mood_map import MoodMap
from mart_mm.lexicon.transcript import TranscriptError
from mart_mm.registry import LEXICONS
from mart_mm.structures.emotion_report import EmotionReport
from mart_mm.utils.atomic import write_text
from mart_mm.version import __version__
from mart_mm.weight_files import SUFFIXES
from mart_mm.zoo.configs import resolve_config
from mart_mm.zoo.index import find_model

_MEL_SECONDS = 0.01  # of a log-mel frame


class MARTInferencer(BaseInferencer):
    """Says what a video conveys, when, and because of which words.

    A video is cut into windows that look like the records of the training data: the config's number of
    segments, each as long as it was there. Windows are read, and forgotten, one batch at a time, so that
    a long video takes the memory of a short one. A video shorter than one and a half windows is one
    window, and is predicted just as tools/test.py does.

    Examples:
        >>> inferencer = MARTInferencer('epoch_30.pth')
        >>> report = inferencer.report('talk.mp4')
        >>> inferencer('folder', out_dir='outputs')['predictions'][0]['emotion']

    Args:
        model: A checkpoint, which needs nothing else; or a config, or the name of one in
            model-index.yml (see :meth:`list_models`), with ``weights``.
        weights: A checkpoint.
        device: Default: the GPU if there is one.
        scope: Registry scope.
        show_progress: Show a progress bar.
        segment_seconds: Length of a segment; default: the median of the training data. Where a
            checkpoint does not say it, the length of the sound that a segment is heard with.
        masks: Whether reports say what MART's masker picks, where the model has one.

    Attributes:
        card: What is known of the model: classes, polarity, pipeline.
        segment_seconds: See above.
        model_info: ``model`` of reports.

    Raises:
        FileNotFoundError: When there is no such checkpoint, or its lexicon's file is missing.
        CardError: When the checkpoint does not describe itself, with the remedy.
        WeightsError: When it is none, or of another model.
        KeyError: When it names a component that is not registered: import its module first.
        UnknownConfigError: For an unknown name, with the nearest ones; a FileNotFoundError.
        ValueError: For a model without weights, or one that reads no videos.
    """

    preprocess_kwargs = {'transcript'}
    visualize_kwargs = {'out_dir', 'picture'}
    postprocess_kwargs = {'pred_out_file'}

    def __init__(
        self,
        model: str | os.PathLike | Config | dict | None = None,
        weights: str | os.PathLike | None = None,
        device: str | None = None,
        scope: str = 'mart_mm',
        show_progress: bool = True,
        segment_seconds: float | None = None,
        masks: bool = False,
    ) -> None:
        if segment_seconds is not None and not segment_seconds > 0:
            raise ValueError(f'segment_seconds={segment_seconds}: a length above 0 is needed')
        if isinstance(model, (str, os.PathLike)) and Path(model).suffix in SUFFIXES:
            if weights is not None:
                raise ValueError(f'two checkpoints: {model} and {weights}; give one')
            model, weights = None, model
        if isinstance(model, os.PathLike):
            model = str(model)
        init_default_scope(scope)
        self._wanted_seconds, self._with_masks = segment_seconds, masks
        super().__init__(
            model, None if weights is None else str(weights), device, scope, show_progress
        )
        self.predictor = VideoPredictor(
            self.forward, self.pipeline, self.card, self.model_info, self.segment_seconds
        )

    @staticmethod
    def list_models(scope: str = 'mart_mm', patterns: str = r'.*') -> list[str]:
        """Names and aliases of the configs in model-index.yml.

        Args:
            scope: Of the package.
            patterns: Regular expression that the start of a name must match.
        """
        return BaseInferencer.list_models(scope, patterns)

    def _load_model_from_metafile(self, model: str) -> tuple[Config, str | None]:
        entry = find_model(model)
        return Config.fromfile(resolve_config(model)), entry.weights if entry else None

    def _init_model(
        self, cfg: Config | ConfigDict, weights: str | None, device: str = 'cpu'
    ) -> nn.Module:
        if weights is None:
            raise ValueError(
                f'{getattr(cfg, "filename", None) or "the config"}: no weights: train it with '
                'tools/train.py and give the checkpoint as weights'
            )
        checkpoint = read_checkpoint(weights)
        self.card = card_of(checkpoint, cfg)
        self.model_info = dict(
            name=self.card.name,
            checkpoint=checkpoint.path.name,
            sha256=checkpoint.sha256,
            version=__version__,
        )
        return build_for_prediction(self.card, checkpoint, self._with_masks).to(device)

    def _init_pipeline(self, cfg: Config | ConfigDict) -> WindowPipeline:
        pipeline = self.card.pipeline
        mood_map = MoodMap(self.card.classes, self.card.mood_table)
        steps = WindowPipeline(build_transforms(pipeline), mood_map)
        words = find_step(pipeline, 'FindCues')
        if words:
            LEXICONS.build(words['lexicon'])  # one that is missing is said now, not at each video
        sound = find_step(pipeline, 'LoadLogMel')
        heard = sound and sound['num_frames'] * _MEL_SECONDS
        self.segment_seconds = self._wanted_seconds or self.card.segment_seconds or heard
        if not self.segment_seconds:
            raise ValueError(
                'the checkpoint does not say how long a segment is: give segment_seconds'
            )
        return steps

    def _init_collate(self, cfg: Config | ConfigDict) -> Callable:
        return affective_collate

    def _init_visualizer(self, cfg: Config | ConfigDict) -> None:
        return None

    def _inputs_to_list(self, inputs: Source | Sequence[Source]) -> list[Video]:
        return list_videos(inputs)

    def __call__(
        self,
        inputs: Source | Sequence[Source],
        return_datasamples: bool = False,
        batch_size: int = 1,
        transcript: str | os.PathLike | None = None,
        out_dir: str | os.PathLike | None = None,
        picture: bool = True,
        pred_out_file: str | os.PathLike | None = None,
    ) -> dict:
        """Predict videos; one that cannot be read is reported, and the others go on.

        Args:
            inputs: See :func:`~mart_mm.apis.inference.inputs.list_videos`.
            return_datasamples: Give samples (``AffectiveDataSample``) in place of reports as dict.
            batch_size: Windows predicted together.
            transcript: A subtitle file for the one video, or a folder with files named as the videos;
                without one, files beside the videos and subtitles inside them are looked for.
            out_dir: ``<name>.json`` of each video is written there, and ``<name>.png``; None writes
                nothing.
            picture: Whether the picture is written.
            pred_out_file: All predictions as one JSON file.

        Returns:
            ``predictions``, in the order of the inputs; of a video that could not be read only
            ``video`` and ``failed``, the reason. ``visualization``, the picture of each or None.
            ``failures``, a list of (path, reason).

        Raises:
            ValueError: When there is no video.
        """
        videos = self._inputs_to_list(inputs)
        outcomes, pictures = [], []
        for outcome in self.preprocess(videos, batch_size, transcript=transcript):
            outcomes.append(outcome)
            pictures += self.visualize([outcome.video], [outcome], out_dir=out_dir, picture=picture)
        return self.postprocess(outcomes, pictures, return_datasamples, pred_out_file=pred_out_file)

    def preprocess(
        self,
        inputs: Sequence[Video],
        batch_size: int = 1,
        transcript: str | os.PathLike | None = None,
    ) -> Iterator[Outcome]:
        """What becomes of each video; it is read and predicted when its turn comes.

        Raises:
            FileNotFoundError: When there is no such transcript.
            ValueError: When one transcript is given for several videos.
        """
        given = transcripts_for(transcript, inputs)
        with tqdm(total=len(inputs), unit='video', disable=not self.show_progress) as bar:
            for number, video in enumerate(inputs):

                def show(
                    share: float, what: str, number: int = number, video: Video = video
                ) -> None:
                    bar.set_description_str(f'{video.name}: {what}', refresh=False)
                    bar.update(number + share - bar.n)

                yield self.outcome(video, given[number], batch_size, show)
            bar.update(len(inputs) - bar.n)

    def outcome(
        self,
        video: Video,
        transcript: Path | None = None,
        batch_size: int = 1,
        on_progress: Progress | None = None,
    ) -> Outcome:
        """A video's report, or why there is none."""
        try:
            sample, report = self.predictor(video, transcript, batch_size, on_progress)
        except (MediaError, TranscriptError) as error:
            print_log(f'skipped: {error}', logger='current', level=logging.WARNING)
            return Outcome(video, failed=error.reason)
        return Outcome(video, report, sample)

    def report(
        self,
        path: Source,
        *,
        transcript: str | os.PathLike | None = None,
        on_progress: Progress | None = None,
        batch_size: int = 1,
    ) -> EmotionReport:
        """What one video conveys.

        Args:
            path: The file, or arrays.
            transcript: A subtitle file; without one it is looked for.
            on_progress: Called with the share that is done, in [0, 1], and what is being done.
            batch_size: Windows predicted together.

        Raises:
            MediaError: When it cannot be read.
            TranscriptError: When the given transcript cannot be read.
            FileNotFoundError: When there is no such transcript.
            ValueError: For more or less than one video.
        """
        videos = list_videos(path)
        if len(videos) != 1:
            raise ValueError(
                f'{path}: {len(videos)} videos; report() takes one, call the inferencer'
            )
        (given,) = transcripts_for(transcript, videos)
        return self.predictor(videos[0], given, batch_size, on_progress)[1]

    def visualize(
        self,
        inputs: Sequence[Video],
        preds: Sequence[Outcome],
        out_dir: str | os.PathLike | None = None,
        picture: bool = True,
    ) -> list[Path | None]:
        """Write the report of each video and its picture; nothing without ``out_dir``."""
        if out_dir is None:
            return [None] * len(preds)
        return [write_outcome(outcome, out_dir, picture) for outcome in preds]

    def postprocess(
        self,
        preds: Sequence[Outcome],
        visualization: list[Path | None],
        return_datasamples: bool = False,
        pred_out_file: str | os.PathLike | None = None,
    ) -> dict:
        """Predictions in the order of the videos; see :meth:`__call__`."""
        reports = [outcome.to_dict() for outcome in preds]
        failures = [(outcome.path, outcome.failed) for outcome in preds if outcome.failed]
        if failures:
            print_log(
                f'{len(failures)} of {len(preds)} videos could not be read',
                logger='current',
                level=logging.WARNING,
            )
        if pred_out_file:
            write_text(pred_out_file, json.dumps(reports, ensure_ascii=False, indent=1))
        samples = [outcome.data_sample() for outcome in preds] if return_datasamples else None
        return dict(
            predictions=samples or reports,
            visualization=visualization,
            failures=failures,
        )
