"""Pictures of what training, testing and feature extraction wrote to files; no model is run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from matplotlib.figure import Figure
from mmengine.config import Config

from mart_mm.errors import unknown_name
from mart_mm.visualization.confusion import draw_confusion
from mart_mm.visualization.embedding import draw_embedding, embed, usable_perplexity
from mart_mm.visualization.losses import draw_losses
from mart_mm.visualization.run_log import read_run, read_scalars


def tsne_picture(
    files: Sequence[str | Path],
    *,
    modalities: Sequence[str] = ('visual', 'audio'),
    perplexity: float | None = None,
    seed: int = 0,
) -> Figure:
    """t-SNE of features, a panel per file and modality (paper Fig. 6c).

    Videos without the modality are left out, and counted in the panel's name.

    Args:
        files: ``.npz`` of :func:`mart_mm.apis.extract.save_features`, of the same classes.
        modalities: Of each file.
        perplexity: Of t-SNE; default: :func:`mart_mm.visualization.embedding.usable_perplexity`.
        seed: Of t-SNE.

    Raises:
        OSError: When a file cannot be read.
        ValueError: When a file holds no such features, or its classes are others.
    """
    panels, classes = {}, None
    for file in files:
        features = _read_features(file, modalities)
        names = features['classes'].tolist()
        if classes not in (None, names):
            raise ValueError(f'{file}: classes {names}, and {files[0]} has {classes}')
        classes = names
        for modality in modalities:
            is_present = features[f'has_{modality}']
            used = float(perplexity or usable_perplexity(int(is_present.sum())))
            try:
                points = embed(features[modality][is_present], perplexity=used, seed=seed)
            except ValueError as error:
                raise ValueError(f'{file}, {modality}: {error}') from error
            name = f'{Path(file).stem}, {modality}: {is_present.sum()} videos'
            if not is_present.all():
                name += f' ({(~is_present).sum()} without)'
            panels[f'{name}, perplexity {used:.3g}'] = points, features['labels'][is_present]
    return draw_embedding(panels, classes or [], f't-SNE of video features, seed {seed}')


def _read_features(file: str | Path, modalities: Sequence[str]) -> dict[str, np.ndarray]:
    remedy = 'write it with tools/extract_features.py'
    try:
        with np.load(file) as archive:
            content = {name: archive[name] for name in archive.files}
    except (ValueError, BadZipFile, TypeError, AttributeError) as error:
        raise ValueError(f'{file}: no features ({error}): {remedy}') from error
    missing = [name for name in ('labels', 'classes') if name not in content]
    if missing:
        raise ValueError(f'{file}: {", ".join(missing)} missing: {remedy}')
    present = sorted(name[4:] for name in content if name.startswith('has_'))
    for modality in modalities:
        if modality not in present or modality not in content:
            raise ValueError(f'{file}: {unknown_name("modality", modality, present)}')
    return content


def confusion_picture(file: str | Path, title: str = '') -> Figure:
    """Confusion matrix of scores that testing dumped.

    Args:
        file: The ``.json`` of :class:`mart_mm.evaluation.emotion_metric.EmotionMetric` (``dump``).
        title: Default: accuracy and number of videos.

    Raises:
        OSError: When the file cannot be read.
        ValueError: When it holds no scores.
    """
    try:
        content = json.loads(Path(file).read_text(encoding='utf-8'))
        counts, classes = content['scores']['confusion'], content['classes']
        said = f'accuracy {content["scores"]["emotion_acc"]:.1f} %, {np.sum(counts)} videos'
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise ValueError(
            f'{file}: no scores ({error}): test with --cfg-options test_evaluator.dump=scores'
        ) from error
    return draw_confusion(counts, classes, title or said)


def losses_picture(path: str | Path, switch_epoch: int | None = None) -> Figure:
    """Losses and test accuracy over the epochs of a run.

    Args:
        path: ``scalars.json``, or a work directory: its last run is taken, with all its resumed parts.
        switch_epoch: Last epoch of pretraining; default: that of the config beside the file.

    Raises:
        OSError: When the file cannot be read.
        ValueError: When there is none, or it has no losses.
    """
    path, read = Path(path), read_scalars
    if path.is_dir():
        found = sorted(path.glob('**/vis_data/scalars.json'))
        if not found:
            raise ValueError(f'{path}: no vis_data/scalars.json below: give the folder of a run')
        path, read = found[-1], lambda file: read_run(file.parents[2])
    if switch_epoch is None:
        switch_epoch = _pretrain_epochs(path.with_name('config.py'))
    try:
        return draw_losses(read(path), switch_epoch)
    except ValueError as error:
        message = str(error)
        raise ValueError(message if str(path) in message else f'{path}: {message}') from error


def _pretrain_epochs(config: Path) -> int | None:
    """Epochs of the first stage, of the config that MMEngine wrote; None without one, or without stage."""
    if not config.is_file():
        return None
    hooks = Config.fromfile(config).get('custom_hooks') or []
    return next((h['pretrain_epochs'] for h in hooks if h['type'] == 'StageSwitchHook'), None)
