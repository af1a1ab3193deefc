from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mart_mm.datasets.media.audio_reader import read_audio
from mart_mm.transcription.backends.faster_whisper import FasterWhisperBackend


def test_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'faster_whisper', None)
    with pytest.raises(ImportError, match=r'pip install mart-mm\[asr\]'):
        FasterWhisperBackend('small')


@pytest.fixture
def converted(whisper: Callable[..., str], tmp_path: Path) -> Callable[..., str]:
    """A model that says the script, in CTranslate2's layout."""
    pytest.importorskip('faster_whisper')
    converters = pytest.importorskip('ctranslate2.converters')

    def build(**options: object) -> str:
        folder = str(tmp_path / f'model{len(list(tmp_path.iterdir()))}')
        source = whisper(is_multilingual=False, **options)
        converters.TransformersConverter(source, copy_files=['tokenizer.json']).convert(folder)
        return folder

    return build


def test_says_the_script(converted: Callable[..., str], shared_data: Path) -> None:
    backend = FasterWhisperBackend(converted(), device='cpu', compute_type='float32')
    speech = backend.transcribe(read_audio(shared_data / 'media/jfk.flac'))
    assert speech.language == 'en'
    first, second = speech.segments
    assert (first.text, second.text) == ('hello wörld,', 'love and rage!')
    assert [word.text for word in first.words] == ['hello', 'wörld,']
    assert [word.text for word in second.words] == ['love', 'and', 'rage!']
    for segment in speech.segments:
        # not the script's times: word alignment moves them
        assert 0 <= segment.start <= segment.words[0].start
        assert segment.words[-1].end <= segment.end + 1e-6 <= 11.1
        assert segment.avg_logprob > -0.1 and segment.no_speech_prob < 0.1
        assert segment.compression_ratio == pytest.approx(0.8, abs=0.3)
    assert [line.text for line in map(type(first).line, speech.segments)] == [
        'hello wörld,',
        'love and rage!',
    ]


def test_unsure_windows_are_returned_for_the_filter_to_count(
    converted: Callable[..., str], shared_data: Path
) -> None:
    model = converted(loudness=0.3)
    backend = FasterWhisperBackend(model, device='cpu', compute_type='float32')
    segments = backend.transcribe(read_audio(shared_data / 'media/jfk.flac')).segments
    assert segments and segments[0].avg_logprob < -1


def test_silence_is_cut(converted: Callable[..., str]) -> None:
    import numpy as np

    speech = FasterWhisperBackend(converted(), device='cpu').transcribe(
        np.zeros(5 * 16000, dtype=np.float32)
    )
    assert speech.segments == () and speech.language is None


def test_folder_without_tokenizer(converted: Callable[..., str], tmp_path: Path) -> None:
    """It would ask the network for it."""
    folder = Path(converted())
    shutil.move(folder / 'tokenizer.json', tmp_path / 'elsewhere')
    with pytest.raises(FileNotFoundError, match=r'lacks tokenizer\.json'):
        FasterWhisperBackend(str(folder))
