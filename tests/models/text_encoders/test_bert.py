from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertModel, BertTokenizerFast

from mart_mm.models.text_encoders.bert import BertTextEncoder
from mart_mm.registry import MODELS

CPU = torch.device('cpu')
WIDTH = 16
VOCABULARY = (
    '[PAD] [UNK] [CLS] [SEP] [MASK] happy birth ##day dear sad ##ness ##ly , ! so a'.split()
)
TEXT = 'So happy birthday, sadness!'
CUES = [dict(word='happy birthday', span=(3, 17)), dict(word='sadness', span=(19, 26))]


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small BERT with random weights, saved as the hub's are."""
    path = tmp_path_factory.mktemp('bert')
    (path / 'vocab.txt').write_text('\n'.join(VOCABULARY) + '\n')
    BertTokenizerFast(str(path / 'vocab.txt')).save_pretrained(path)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=WIDTH,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(path)
    return path


@pytest.fixture
def encoder(folder: Path) -> BertTextEncoder:
    return MODELS.build(dict(type='BertTextEncoder', name_or_path=str(folder), dims=WIDTH))


def states_of(folder: Path, pieces: list[str]) -> torch.Tensor:
    """Last hidden states of a written-out sequence of pieces, one sentence, no padding."""
    model = BertModel.from_pretrained(folder).eval()
    ids = [VOCABULARY.index(piece) for piece in ['[CLS]', *pieces, '[SEP]']]
    with torch.no_grad():
        return model(torch.tensor([ids])).last_hidden_state[0, 1:-1]


def test_pieces_of_a_word_are_averaged(folder: Path, encoder: BertTextEncoder) -> None:
    pieces = ['so', 'happy', 'birth', '##day', ',', 'sad', '##ness', '!']
    states = states_of(folder, pieces)
    expected = []
    for places in ([1, 2, 3], [5, 6]):
        total = torch.zeros(WIDTH)
        for place in places:
            total = total + states[place]
        expected.append(total / len(places))
    (got,) = encoder.encode([TEXT], [CUES], CPU)
    torch.testing.assert_close(got, torch.stack(expected), atol=1e-5, rtol=1e-5)
    assert not got.requires_grad


def test_padding_and_neighbours_change_nothing(encoder: BertTextEncoder) -> None:
    short = [dict(word='dear', span=(0, 4))]
    together = encoder.encode([TEXT, 'dear', TEXT], [CUES, short, []], CPU)
    assert [len(features) for features in together] == [2, 1, 0]
    assert together[2].shape == (0, WIDTH)
    encoder._cache.clear()
    for text, cues, batched in ((TEXT, CUES, together[0]), ('dear', short, together[1])):
        (alone,) = encoder.encode([text], [cues], CPU)
        torch.testing.assert_close(alone, batched, atol=1e-5, rtol=1e-5)


def test_word_takes_its_meaning_from_the_text(encoder: BertTextEncoder) -> None:
    cue = [dict(word='happy', span=(3, 8))]
    one, two = encoder.encode(['so happy birthday', 'so happy sadness'], [cue, cue], CPU)
    assert (one - two).abs().max() > 1e-3


def test_cue_behind_the_longest_text_is_zero(folder: Path) -> None:
    encoder = BertTextEncoder(name_or_path=str(folder), dims=WIDTH, max_length=6)
    first, last = encoder.encode([TEXT], [CUES], CPU)[0]
    assert first.abs().max() > 0 and last.abs().max() == 0


def test_results_are_kept_and_the_least_recent_dropped(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = BertTextEncoder(name_or_path=str(folder), dims=WIDTH, cache_size=2)
    asked = []
    original = BertTextEncoder._encode
    monkeypatch.setattr(
        BertTextEncoder,
        '_encode',
        lambda self, keys, device: (
            asked.append([text for text, _ in keys]) or original(self, keys, device)
        ),
    )
    cue = [dict(word='x', span=(0, 1))]
    for texts in (['a', 'a', 'so'], ['a'], ['sad'], ['a'], ['so']):
        encoder.encode(texts, [cue] * len(texts), CPU)
    assert asked == [['a', 'so'], ['sad'], ['so']]  # 'a' was used last, so 'so' had to go


def test_frozen_and_shared_by_copies(encoder: BertTextEncoder) -> None:
    assert copy.deepcopy([encoder])[0] is encoder
    assert not isinstance(encoder, torch.nn.Module)
    first = encoder.encode([TEXT], [CUES], CPU)[0]
    encoder._cache.clear()
    assert torch.equal(first, encoder.encode([TEXT], [CUES], CPU)[0])
    assert not any(parameter.requires_grad for parameter in encoder._model.parameters())
    assert not encoder._model.training


def test_nothing_is_loaded_before_the_first_cue(tmp_path: Path) -> None:
    encoder = BertTextEncoder(name_or_path=str(tmp_path / 'none'), dims=4)
    (empty,) = encoder.encode(['no cue'], [[]], CPU)
    assert empty.shape == (0, 4)
    with pytest.raises(OSError, match='name_or_path.*LexiconVectorEncoder'):
        encoder.encode([TEXT], [CUES], CPU)


def test_wrong_width_is_refused_each_time(folder: Path) -> None:
    encoder = BertTextEncoder(name_or_path=str(folder), dims=768)
    for _ in range(2):
        with pytest.raises(ValueError, match=f'text_encoder.dims={WIDTH}'):
            encoder.encode([TEXT], [CUES], CPU)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason='no GPU')
def test_model_follows_the_device(encoder: BertTextEncoder) -> None:
    cpu = encoder.encode([TEXT], [CUES], CPU)[0]
    encoder._cache.clear()
    gpu = encoder.encode([TEXT], [CUES], torch.device('cuda'))[0]
    assert not gpu.is_cuda and next(encoder._model.parameters()).is_cuda
    torch.testing.assert_close(gpu, cpu, atol=1e-3, rtol=1e-3)
