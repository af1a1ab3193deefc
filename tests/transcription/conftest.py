"""A Whisper that says what it is told, whatever it hears; and videos with sound."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from mart_mm.utils.media_writer import write_video

# faster-whisper never says the blank alone, so words begin with a token of their own
WORDS = ('Ġhello', 'Ġworld', 'Ġlove', 'Ġand', 'Ġrage')
SPECIALS = ('<|startoftranscript|>', '<|en|>', '<|de|>', '<|zh|>', '<|translate|>') + (
    '<|transcribe|>', '<|startoflm|>', '<|startofprev|>', '<|nospeech|>', '<|notimestamps|>',
)  # fmt: skip
SCRIPT = '<|0.40|> hello wörld,<|1.60|><|2.00|> love and rage!<|3.20|>'


def save_whisper(
    folder: Path,
    script: str = SCRIPT,
    *,
    language: str = 'de',
    no_speech: float = 0.0,
    loudness: float = 4.0,
    word_times: bool = True,
    is_multilingual: bool = True,
) -> Path:
    """Random weights, except that the decoder's positions spell the script.

    Position p adds the embedding of the token to be said next, so large that nothing else matters:
    hidden state, logits and choice follow. ``no_speech`` mixes that token into position 0.
    ``loudness`` is the length of the embeddings: the less, the less sure the model is.
    Models of one language are prompted with the start token alone.
    """
    from tokenizers import AddedToken, pre_tokenizers
    from transformers import (
        GenerationConfig,
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
        WhisperProcessor,
        WhisperTokenizer,
    )

    known = [*sorted(pre_tokenizers.ByteLevel.alphabet()), *WORDS]
    # merges that build each word from its letters, left to right
    merges = []
    for word in WORDS:
        for stop in range(1, len(word)):
            merges.append((word[:stop], word[stop]))
            known.append(word[: stop + 1])
    known = list(dict.fromkeys(known))
    tokenizer = WhisperTokenizer(
        vocab={text: index for index, text in enumerate(known)}, merges=list(dict.fromkeys(merges))
    )
    tokenizer.add_tokens([AddedToken(t, special=True) for t in SPECIALS], special_tokens=True)
    tokenizer.add_tokens([AddedToken(f'<|{i * 0.02:.2f}|>', normalized=False) for i in range(1501)])
    index_of = tokenizer.convert_tokens_to_ids
    end, begin = index_of('<|endoftext|>'), index_of('<|startoftranscript|>')
    ends = dict(bos_token_id=end, eos_token_id=end, pad_token_id=end, decoder_start_token_id=begin)
    config = WhisperConfig(
        vocab_size=len(tokenizer),
        d_model=64,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        suppress_tokens=None,
        begin_suppress_tokens=None,
        **ends,
    )
    torch.manual_seed(0)
    model = WhisperForConditionalGeneration(config)
    tokens = [*tokenizer.encode(script, add_special_tokens=False), end]
    with torch.no_grad():
        words = model.model.decoder.embed_tokens.weight
        words.copy_(torch.nn.functional.normalize(torch.randn_like(words), dim=1))
        places = model.model.decoder.embed_positions.weight
        places.zero_()
        first = 2 if is_multilingual else 0  # the place of the prompt's last token
        places[0] = (1 - no_speech) * words[index_of(f'<|{language}|>')]
        places[0] += no_speech * words[index_of('<|nospeech|>')]
        places[first : first + len(tokens)] = words[tokens]
        places[first + len(tokens) :] = words[end]
        places *= 100
        words *= loudness
    options: dict = dict(is_multilingual=is_multilingual)
    if is_multilingual:
        options['lang_to_id'] = {name: index_of(name) for name in ('<|en|>', '<|de|>', '<|zh|>')}
        options['task_to_id'] = {n: index_of(f'<|{n}|>') for n in ('transcribe', 'translate')}
    if word_times:
        options['alignment_heads'] = [[0, 0], [0, 1]]
    model.generation_config = GenerationConfig(
        max_length=448,
        no_timestamps_token_id=index_of('<|notimestamps|>'),
        max_initial_timestamp_index=50,
        **options,
        **ends,
    )
    model.save_pretrained(folder)
    WhisperProcessor(WhisperFeatureExtractor(), tokenizer).save_pretrained(folder)
    return folder


@pytest.fixture(scope='session')
def whisper(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Folder of a model that says a script; built once per script."""
    built: dict[str, str] = {}

    def build(script: str = SCRIPT, **options: object) -> str:
        key = repr((script, sorted(options.items())))
        if key not in built:
            folder = tmp_path_factory.mktemp('whisper')
            built[key] = str(save_whisper(folder, script, **options))
        return built[key]

    return build


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    samples = np.random.default_rng(seed).uniform(-0.5, 0.5, round(seconds * 16000))
    return samples.astype(np.float32)


@pytest.fixture
def video() -> Callable[..., Path]:
    """Writes a video; its sound, if any, is noise."""

    def write(path: Path, seconds: float = 4.0, *, sound: bool = True, seed: int = 0) -> Path:
        frames = np.full((max(1, round(seconds * 2)), 32, 32, 3), seed, dtype=np.uint8)
        write_video(path, frames, fps=2, audio=noise(seconds, seed) if sound else None)
        return path

    return write
