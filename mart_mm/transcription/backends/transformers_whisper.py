"""Whisper by way of transformers, where faster-whisper is not installed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from mart_mm.transcription.backends.base import SAMPLE_RATE, SpeechBackend, local_folder
from mart_mm.transcription.segments import Speech, SpeechSegment, SpeechWord, compression_ratio
from mart_mm.transcription.voice_activity import speech_windows

if TYPE_CHECKING:
    from transformers.modeling_outputs import BaseModelOutput

_TOKEN_SECONDS = 0.02  # between neighbouring time tokens
_DTYPES = {'float32': torch.float32, 'float16': torch.float16, 'bfloat16': torch.bfloat16}
_WITHOUT_BLANKS = ('zh', 'ja', 'th', 'lo', 'my', 'yue')  # each sign counts as a word


class _Window(NamedTuple):
    tokens: list[int]  # without the prompt
    logprobs: list[float]
    times: list[float] | None  # when each token starts
    no_speech_prob: float


class TransformersWhisperBackend(SpeechBackend):
    """Whisper of transformers: silent parts cut by loudness, greedy, window by window.

    Windows end in pauses where they can, so each is decoded on its own and its last segment, which
    Whisper may leave without an end, lasts until the window's end. Word times come from the
    cross-attention heads that the model's generation config names; without them words have no
    times.

    Args:
        model: Folder of a model in transformers' layout, read without network, or a name on the
            hub: ``'openai/whisper-small'``.
        language: ISO 639-1 code; None detects it in the first window.
        device: ``'auto'``, ``'cpu'`` or ``'cuda'``.
        compute_type: ``'float32'``, ``'float16'`` or ``'bfloat16'``; ``'auto'`` is ``'float32'`` on
            a CPU, ``'float16'`` on a GPU.
        num_threads: On a CPU; 0 leaves it to torch.

    Raises:
        FileNotFoundError: When the folder is none of a model.
        ValueError: For an unknown compute type or language.
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
        from transformers import WhisperForConditionalGeneration, WhisperProcessor

        if device == 'auto':
            device = 'cuda' if torch.cuda.is_available() else 'cpu'
        if compute_type == 'auto':
            compute_type = 'float16' if device == 'cuda' else 'float32'
        if compute_type not in _DTYPES:
            raise ValueError(
                f"compute_type={compute_type!r}: backend 'transformers' knows {tuple(_DTYPES)}"
            )
        if num_threads:
            torch.set_num_threads(num_threads)
        folder = local_folder(model, ('config.json', 'generation_config.json'))
        where = dict(local_files_only=folder is not None)
        name = str(folder or model)
        self.processor = WhisperProcessor.from_pretrained(name, **where)
        # word times need the attention maps, which only this implementation returns
        self.model = WhisperForConditionalGeneration.from_pretrained(
            name, attn_implementation='eager', **where
        )
        self.model.to(device=device, dtype=_DTYPES[compute_type]).eval()
        self.config = self.model.generation_config
        if getattr(self.config, 'no_timestamps_token_id', None) is None:
            raise ValueError(
                f'model {model}: its generation config names no no_timestamps_token_id: it is no '
                'Whisper, or older than time tokens; take the model from openai again'
            )
        self.languages = {
            token.strip('<|>'): index
            for token, index in (getattr(self.config, 'lang_to_id', None) or {}).items()
        }
        if language is not None and self.languages and language not in self.languages:
            raise ValueError(f'language={language!r}: the model knows {tuple(self.languages)}')
        self.language = language

    @torch.inference_mode()
    def transcribe(self, waveform: np.ndarray) -> Speech:
        """Recognise."""
        segments: list[SpeechSegment] = []
        language = self.language
        for start, stop in speech_windows(waveform, SAMPLE_RATE):
            features = self.processor.feature_extractor(
                waveform[start:stop],
                sampling_rate=SAMPLE_RATE,
                return_tensors='pt',
                return_attention_mask=True,
            ).to(self.model.device)
            pictures = features.input_features.to(self.model.dtype)
            encoded = self.model.get_encoder()(pictures)
            if language is None and self.languages:
                language = self._detect(encoded)
            window = self._window(pictures, features.attention_mask, encoded, language)
            segments += self._segments(
                window, language, start / SAMPLE_RATE, (stop - start) / SAMPLE_RATE
            )
        return Speech(language, tuple(segments))

    def _detect(self, encoded: BaseModelOutput) -> str:
        found = self.model.detect_language(encoder_outputs=encoded, generation_config=self.config)
        return next(name for name, number in self.languages.items() if number == int(found[0]))

    def _window(
        self,
        pictures: torch.Tensor,
        mask: torch.Tensor,
        encoded: BaseModelOutput,
        language: str | None,
    ) -> _Window:
        has_times = bool(getattr(self.config, 'alignment_heads', None))
        prompt = dict(language=language, task='transcribe') if self.languages else {}
        output = self.model.generate(
            pictures,
            encoder_outputs=encoded,
            attention_mask=mask,
            return_timestamps=True,
            return_token_timestamps=has_times,
            return_dict_in_generate=True,
            output_scores=True,
            force_unique_generate_call=True,  # a window is no longer than the model's
            do_sample=False,
            num_beams=1,
            **prompt,
        )
        chosen = output['sequences'][0, -len(output['scores']) :]
        scores = torch.stack([score[0] for score in output['scores']]).float().log_softmax(-1)
        logprobs = scores.gather(1, chosen[:, None])[:, 0]
        times = output['token_timestamps'][0, -len(chosen) :].tolist() if has_times else None
        begin = torch.tensor([[self.model.config.decoder_start_token_id]], device=pictures.device)
        logits = self.model(encoder_outputs=encoded, decoder_input_ids=begin).logits[0, 0].float()
        silence = logits.softmax(-1)[self.config.no_timestamps_token_id - 1]
        return _Window(chosen.tolist(), logprobs.tolist(), times, float(silence))

    def _segments(
        self, window: _Window, language: str | None, offset: float, length: float
    ) -> list[SpeechSegment]:
        first_time = self.config.no_timestamps_token_id + 1
        special = self.processor.tokenizer.eos_token_id
        tokens, logprobs = window.tokens, window.logprobs
        numbers = dict(
            no_speech_prob=window.no_speech_prob,
            avg_logprob=sum(logprobs) / len(logprobs),
            compression_ratio=compression_ratio(self._text([t for t in tokens if t < special])),
        )
        segments = []
        for start, end, places in split_at_times(tokens, first_time, special, length):
            words = tuple(
                _place(word, start, end, offset) for word in self._words(window, places, language)
            )
            text = ' '.join(self._text([tokens[place] for place in places]).split())
            segments.append(
                SpeechSegment(offset + start, offset + end, text, words=words, **numbers)
            )
        return segments

    def _text(self, tokens: Sequence[int]) -> str:
        return self.processor.tokenizer.decode(tokens, skip_special_tokens=True)

    def _words(self, window: _Window, places: list[int], language: str | None) -> list[SpeechWord]:
        """Words of one segment; a token lasts until the next one starts."""
        tokens, logprobs, times = window.tokens, window.logprobs, window.times
        if times is None:
            return []
        groups: list[list[int]] = []
        for piece in self._pieces(tokens, places):
            text = self._text([tokens[place] for place in piece])
            is_new = text.startswith(' ') or language in _WITHOUT_BLANKS and text[:1].isalnum()
            if groups and not is_new:
                groups[-1] += piece
            else:
                groups.append(piece)
        words = []
        for group in groups:
            text = self._text([tokens[place] for place in group]).strip()
            start, stop = times[group[0]], times[min(group[-1] + 1, len(times) - 1)]
            probability = float(np.exp([logprobs[place] for place in group]).mean())
            if text:
                words.append(SpeechWord(text, start, max(start, stop), probability))
        return words

    def _pieces(self, tokens: list[int], places: list[int]) -> list[list[int]]:
        """Places grouped until they decode to whole signs: a sign may be several tokens."""
        pieces: list[list[int]] = []
        current: list[int] = []
        for place in places:
            current.append(place)
            if '\ufffd' not in self._text([tokens[at] for at in current]):
                pieces.append(current)
                current = []
        return [*pieces, current] if current else pieces


def _place(word: SpeechWord, start: float, end: float, offset: float) -> SpeechWord:
    """The word inside its line, in seconds of the file."""
    first, last = (offset + min(max(time, start), end) for time in (word.start, word.end))
    return replace(word, start=first, end=last)


def split_at_times(
    tokens: Sequence[int], first_time: int, special: int, length: float
) -> list[tuple[float, float, list[int]]]:
    """Segments of one window: (start, end, places of the text's tokens).

    Whisper writes a time token before and after each segment. Where one is missing, a segment
    starts at the end of the one before and ends with the window; no time lies behind its end.

    Args:
        tokens: Generated by the model, without the prompt.
        first_time: Token of 0.00 s; later ones follow in steps of 20 ms.
        special: Least token that is no text.
        length: Of the window in seconds.
    """
    segments: list[tuple[float, float, list[int]]] = []
    start, places = 0.0, []
    for place, token in enumerate(tokens):
        if token >= first_time:
            time = min((token - first_time) * _TOKEN_SECONDS, length)
            if places:
                segments.append((start, time, places))
                places = []
            start = time
        elif token < special:
            places.append(place)
    if places:
        segments.append((start, length, places))
    return segments
