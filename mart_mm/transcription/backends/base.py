"""The contract of a speech recogniser."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

import numpy as np

from mart_mm.transcription.segments import Speech

SAMPLE_RATE = 16000


class SpeechBackend(ABC):
    """Turns a sound track into segments, without randomness: each window is decoded once.

    Loops and sentences put into silence are not removed here but by
    :class:`~mart_mm.transcription.filters.SegmentFilter`, which counts them.
    """

    @abstractmethod
    def transcribe(self, waveform: np.ndarray) -> Speech:
        """Recognise.

        Args:
            waveform: float32 (n,) in [-1, 1], 16 kHz.

        Returns:
            Segments with times in seconds of the waveform.
        """


def local_folder(model: str, needed: tuple[str, ...]) -> Path | None:
    """The folder of the weights, or None when ``model`` is a name on the Hugging Face hub.

    Args:
        model: As given by the user.
        needed: Files that must be in it.

    Raises:
        FileNotFoundError: When it is a path and no such folder with these files exists.
    """
    path = Path(model).expanduser()
    if not path.is_dir():
        if path.is_absolute() or model.startswith(('.', '~')) or path.exists():
            raise FileNotFoundError(f'model {model}: no such folder')
        return None
    missing = [name for name in needed if not (path / name).is_file()]
    if missing:
        raise FileNotFoundError(f'model {model}: the folder lacks {", ".join(missing)}')
    return path
