"""Whisper by way of faster-whisper (CTranslate2), the recogniser of choice."""

from __future__ import annotations

import numpy as np

from mart_mm.transcription.backends.base import SpeechBackend, local_folder
from mart_mm.transcription.segments import Speech, SpeechSegment, SpeechWord


class FasterWhisperBackend(SpeechBackend):
    """faster-whisper 1.2.1: silent parts cut by Silero's voice detector, word times by alignment.

    A text is not given to the next window as its prompt, as that makes loops spread. Without a
    thread count CTranslate2 chooses its own.

    Args:
        model: Folder of a converted model (``model.bin``, ``tokenizer.json``, ...), read without
            network, or a name: ``'large-v3'``, ``'Systran/faster-whisper-small'``.
        language: ISO 639-1 code; None detects it in the first window.
        device: ``'auto'``, ``'cpu'`` or ``'cuda'``.
        compute_type: Of CTranslate2; ``'auto'`` is ``'int8'`` on a CPU, ``'float16'`` on a GPU.
        num_threads: On a CPU; 0 leaves it to CTranslate2.

    Raises:
        ImportError: When faster-whisper is not installed.
        FileNotFoundError: When the folder is none of a converted model.
    """

    def __init__(
        self,
        model: str,
        *,
        language: str | None = None,
        device: str = 'auto',
        compute_type: str = 'auto',
        num_threads: int = 0,
    ) -> None:
        try:
            import ctranslate2
            from faster_whisper import WhisperModel
        except ImportError as error:
            raise ImportError(
                f"backend 'faster-whisper' cannot be imported ({error}): pip install mart-mm[asr], "
                "or use backend 'transformers'"
            ) from error
        folder = local_folder(model, ('model.bin', 'config.json', 'tokenizer.json'))
        if device == 'auto':
            device = 'cuda' if ctranslate2.get_cuda_device_count() else 'cpu'
        if compute_type == 'auto':
            compute_type = 'float16' if device == 'cuda' else 'int8'
        self.language = language
        self.model = WhisperModel(
            str(folder or model),
            device=device,
            compute_type=compute_type,
            cpu_threads=num_threads,
            local_files_only=folder is not None,
        )

    def transcribe(self, waveform: np.ndarray) -> Speech:
        """Recognise."""
        segments, info = self.model.transcribe(
            waveform,
            language=self.language,
            vad_filter=True,
            word_timestamps=True,
            condition_on_previous_text=False,
            temperature=0.0,  # with more, windows are drawn anew at random
            no_speech_threshold=None,  # else segments vanish uncounted
        )
        found = tuple(
            SpeechSegment(
                start=float(segment.start),
                end=float(segment.end),
                text=' '.join(segment.text.split()),
                no_speech_prob=float(segment.no_speech_prob),
                avg_logprob=float(segment.avg_logprob),
                compression_ratio=float(segment.compression_ratio),
                words=tuple(
                    SpeechWord(
                        word.word.strip(),
                        float(word.start),
                        float(word.end),
                        float(word.probability),
                    )
                    for word in segment.words or ()
                    if word.word.strip()
                ),
            )
            for segment in segments
        )
        return Speech(info.language if found else self.language, found)
