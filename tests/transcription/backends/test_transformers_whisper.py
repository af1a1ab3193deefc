from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from mart_mm.transcription.backends.transformers_whisper import (
    TransformersWhisperBackend,
    split_at_times,
)
from mart_mm.transcription.segments import Speech, compression_ratio


def noise(seconds: float) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.uniform(-0.5, 0.5, round(seconds * 16000)).astype(np.float32)


def transcribe(model: str, waveform: np.ndarray, **options: object) -> Speech:
    return TransformersWhisperBackend(model, device='cpu', **options).transcribe(waveform)


def test_says_the_script(whisper: Callable[..., str]) -> None:
    speech = transcribe(whisper(), noise(4))
    assert speech.language == 'de'
    first, second = speech.segments
    assert (first.text, second.text) == ('hello wörld,', 'love and rage!')
    assert (first.start, first.end) == pytest.approx((0.4, 1.6))
    assert (second.start, second.end) == pytest.approx((2.0, 3.2))
    assert [word.text for word in first.words] == ['hello', 'wörld,']
    assert [word.text for word in second.words] == ['love', 'and', 'rage!']
    for segment in speech.segments:
        times = [time for word in segment.words for time in (word.start, word.end)]
        assert times == sorted(times)
        assert segment.start <= times[0] and times[-1] <= segment.end
        assert all(0.9 < word.probability <= 1 for word in segment.words)
        assert -0.1 < segment.avg_logprob <= 0 and segment.no_speech_prob < 0.1
        assert segment.compression_ratio == compression_ratio(' hello wörld, love and rage!')


def test_probabilities_are_those_of_a_plain_forward_pass(whisper: Callable[..., str]) -> None:
    model = whisper(loudness=1.2, no_speech=0.6)
    backend = TransformersWhisperBackend(model, device='cpu')
    (first, *_) = backend.transcribe(noise(4)).segments
    tokens = backend.processor.tokenizer
    prompt = tokens.convert_tokens_to_ids(['<|startoftranscript|>', '<|de|>', '<|transcribe|>'])
    said = tokens.encode('<|0.40|> hello wö', add_special_tokens=False)
    features = backend.processor.feature_extractor(
        noise(4), sampling_rate=16000, return_tensors='pt'
    ).input_features
    with torch.no_grad():
        logits = backend.model(features, decoder_input_ids=torch.tensor([prompt + said])).logits[0]
    silence = logits[0].softmax(-1)[tokens.convert_tokens_to_ids('<|nospeech|>')]
    assert first.no_speech_prob == pytest.approx(float(silence), rel=1e-4)
    assert 0.2 < first.no_speech_prob < 0.9
    # behind a start time there must be text: the choice is among what is no time
    texts = logits[len(prompt), : tokens.convert_tokens_to_ids('<|notimestamps|>')]
    hello = texts.softmax(-1)[said[1]]
    assert first.words[0].probability == pytest.approx(float(hello), rel=1e-4)
    assert -3 < first.avg_logprob < -0.01


def test_each_window_lies_at_its_place(whisper: Callable[..., str]) -> None:
    """Two parts 40 s apart are two windows; what is said in them starts where they start."""
    silence = np.zeros(40 * 16000, dtype=np.float32)
    waveform = np.concatenate([silence, noise(4), silence, noise(4), silence])
    starts = [segment.start for segment in transcribe(whisper(), waveform).segments]
    assert starts == pytest.approx([40.1, 41.7, 84.1, 85.7], abs=0.04)  # 0.3 s of silence before


def test_language(whisper: Callable[..., str]) -> None:
    assert transcribe(whisper(language='zh'), noise(2)).language == 'zh'
    assert transcribe(whisper(), noise(2), language='en').language == 'en'
    with pytest.raises(ValueError, match="language='xx'"):
        TransformersWhisperBackend(whisper(), language='xx')


def test_languages_without_blanks(whisper: Callable[..., str]) -> None:
    (segment,) = transcribe(whisper('<|0.00|>你好,世<|1.00|>', language='zh'), noise(2)).segments
    assert segment.text == '你好,世'
    assert [word.text for word in segment.words] == ['你', '好,', '世']


def test_model_without_alignment_heads(whisper: Callable[..., str]) -> None:
    segments = transcribe(whisper(word_times=False), noise(4)).segments
    assert [segment.text for segment in segments] == ['hello wörld,', 'love and rage!']
    assert all(segment.words == () for segment in segments)


def test_model_of_one_language(whisper: Callable[..., str]) -> None:
    speech = transcribe(whisper(is_multilingual=False), noise(4))
    assert [segment.text for segment in speech.segments] == ['hello wörld,', 'love and rage!']
    assert speech.language is None


def test_half_precision(whisper: Callable[..., str]) -> None:
    backend = TransformersWhisperBackend(whisper(), device='cpu', compute_type='bfloat16')
    assert {weights.dtype for weights in backend.model.parameters()} == {torch.bfloat16}
    texts = [segment.text for segment in backend.transcribe(noise(4)).segments]
    assert texts == ['hello wörld,', 'love and rage!']


def test_silence_asks_no_model(whisper: Callable[..., str]) -> None:
    assert transcribe(whisper(), np.zeros(160000, dtype=np.float32)) == Speech(None, ())


T = 100  # the first time token in the lists below; 90 and above is no text


@pytest.mark.parametrize(
    ('tokens', 'expected'),
    [
        ([T + 5, 1, 2, T + 50, T + 50, 3, T + 100, 90], [(0.1, 1, [1, 2]), (1, 2, [5])]),
        ([T, 1, 2, 90], [(0, 4, [1, 2])]),  # no end: until the window's
        ([T, 1, T + 10, 2, 3], [(0, 0.2, [1]), (0.2, 4, [3, 4])]),  # no start: where the last ended
        ([1, 2], [(0, 4, [0, 1])]),
        ([T + 10, 1, T + 900], [(0.2, 4, [1])]),  # behind the window's end
        ([T + 10, T + 20, 90], []),
        ([], []),
    ],
)
def test_time_tokens(tokens: list[int], expected: list[tuple[float, float, list[int]]]) -> None:
    found = split_at_times(tokens, first_time=T, special=90, length=4.0)
    assert len(found) == len(expected)
    for (start, end, places), (start_0, end_0, places_0) in zip(found, expected, strict=True):
        assert (start, end) == pytest.approx((start_0, end_0)) and places == places_0


def test_wrong_models(tmp_path: object, whisper: Callable[..., str]) -> None:
    with pytest.raises(FileNotFoundError, match='no such folder'):
        TransformersWhisperBackend(f'{tmp_path}/none')
    with pytest.raises(FileNotFoundError, match=r'config\.json'):
        TransformersWhisperBackend(str(tmp_path))
    with pytest.raises(ValueError, match='int8'):
        TransformersWhisperBackend(whisper(), compute_type='int8')
