"""Which speech recogniser, with which weights and options."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path

from mart_mm.errors import unknown_name
from mart_mm.transcription.backends.base import SpeechBackend
from mart_mm.transcription.filters import SegmentFilter
from mart_mm.transcription.results import file_identity

#: name -> (module, class); imported when they are used, as each needs a library of its own
BACKENDS = {
    'faster-whisper': ('mart_mm.transcription.backends.faster_whisper', 'FasterWhisperBackend'),
    'transformers': (
        'mart_mm.transcription.backends.transformers_whisper',
        'TransformersWhisperBackend',
    ),
}


@dataclass(frozen=True)
class BackendConfig:
    """A speech recogniser before its weights are loaded; it can be sent to another process.

    Args:
        model: Folder of the weights, or a name on the Hugging Face hub.
        backend: Name in ``BACKENDS``.
        language: ISO 639-1 code; None detects it per file.
        device: ``'auto'``, ``'cpu'`` or ``'cuda'``.
        compute_type: Number format of the weights; ``'auto'`` is the usual one of the device.
        num_threads: On a CPU; 0 leaves it to the library.

    Raises:
        ValueError: For an unknown backend, with the valid ones.
    """

    model: str
    backend: str = 'faster-whisper'
    language: str | None = None
    device: str = 'auto'
    compute_type: str = 'auto'
    num_threads: int = 0

    def __post_init__(self) -> None:
        if self.backend not in BACKENDS:
            raise ValueError(unknown_name('backend', self.backend, BACKENDS))

    def build(self) -> SpeechBackend:
        """Load the weights.

        Raises:
            ImportError: When the backend's library is not installed, with the command.
            FileNotFoundError: When the folder holds no weights.
        """
        module, name = BACKENDS[self.backend]
        return getattr(import_module(module), name)(
            self.model,
            language=self.language,
            device=self.device,
            compute_type=self.compute_type,
            num_threads=self.num_threads,
        )

    def settings(self, segment_filter: SegmentFilter) -> dict:
        """All that changes a result, as its JSON records it: a result with other settings is old.

        The device is no part of it. A local model is known by its files, wherever they lie.
        """
        folder = Path(self.model).expanduser()
        return dict(
            backend=self.backend,
            model=file_identity(folder) if folder.is_dir() else dict(name=self.model),
            options=dict(
                language=self.language,
                compute_type=self.compute_type,
                filter=asdict(segment_filter),
            ),
        )
