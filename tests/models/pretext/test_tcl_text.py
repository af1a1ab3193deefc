from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertForMaskedLM, BertTokenizerFast

from mart_mm.models.pretext.tcl_text import FusionBert
from mart_mm.models.pretext.tcl_words import CLS, MASK, PAD, SEP, HashedWords

CPU = torch.device('cpu')
VOCABULARY = '[PAD] [UNK] [CLS] [SEP] [MASK] happy birth ##day dear sad ##ness , ! so a'.split()
SIZES = dict(embed_dims=16, depth=3, num_heads=2, fusion_layer=2, num_positions=64, max_length=12)


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small BERT with random weights, saved as the hub's are."""
    path = tmp_path_factory.mktemp('bert')
    (path / 'vocab.txt').write_text('\n'.join(VOCABULARY) + '\n')
    BertTokenizerFast(str(path / 'vocab.txt')).save_pretrained(path)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=16,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        initializer_range=0.5,
    )
    model = BertForMaskedLM(config)
    with torch.no_grad():  # biases and norms that are not those of the start
        for parameter in model.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    model.save_pretrained(path)
    return path


def build(**options: object) -> FusionBert:
    return FusionBert(**(SIZES | dict(context_dims=8, vocab_size=len(VOCABULARY)) | options))


def test_equals_transformers_with_its_weights(folder: Path) -> None:
    """Without attention on the video all layers together are BERT; words are guessed alike."""
    text = build(pretrained=str(folder)).eval()
    text.init_weights()
    for layer in text.layers:
        layer.cross = None
    theirs = BertForMaskedLM.from_pretrained(folder).eval()
    tokens = text.tokenize(['So happy!', 'a happy birthday, dear sadness'], CPU)
    with torch.no_grad():
        states = text.read(tokens.ids, tokens.is_valid)
        states = text.fuse(states, tokens.is_valid, states, tokens.is_valid)
        logits = text.word_logits(states[tokens.is_valid])
        expected = theirs(input_ids=tokens.ids, attention_mask=tokens.is_valid.long()).logits
    torch.testing.assert_close(logits, expected[tokens.is_valid], atol=1e-4, rtol=1e-4)


def test_word_pieces(folder: Path) -> None:
    text = build(pretrained=str(folder))
    tokens = text.tokenize(['happy birthday!', ''], CPU)
    expected = [['[CLS]', 'happy', 'birth', '##day', '!', '[SEP]'], ['[CLS]', '[SEP]']]
    for row, pieces in enumerate(expected):
        ids = [VOCABULARY.index(piece) for piece in pieces]
        assert tokens.ids[row, : len(ids)].tolist() == ids
        assert tokens.is_valid[row].tolist() == [k < len(ids) for k in range(6)]
    assert tokens.is_word.sum(1).tolist() == [4, 0]
    assert text.tokenizer.mask_id == VOCABULARY.index('[MASK]')
    assert text.tokenize(['so ' * 50], CPU).ids.shape == (1, 12)


def test_sizes_that_do_not_fit_are_named(folder: Path) -> None:
    for wrong in (dict(depth=4), dict(fusion_layer=1, depth=2), dict(num_positions=32)):
        with pytest.raises(ValueError, match='set embed_dims, depth, vocab_size and num_positions'):
            build(pretrained=str(folder), **wrong).init_weights()
    with pytest.raises(ValueError, match=f'vocab_size={len(VOCABULARY)}'):
        build(pretrained=str(folder), vocab_size=8).tokenize(['so'], CPU)
    for wrong in (dict(fusion_layer=0), dict(fusion_layer=3), dict(max_length=65)):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            build(**wrong)


def test_missing_bert_says_what_to_do(tmp_path: Path) -> None:
    text = build(pretrained=str(tmp_path))
    for act in (text.init_weights, lambda: text.tokenize(['so'], CPU)):
        with pytest.raises(OSError, match='model.pretext.text.pretrained=None'):
            act()


def test_hashed_words() -> None:
    tokens = HashedWords(30522)(["Don't CRY, cry!", '', 'cry'], 128, CPU)
    first = tokens.ids[0].tolist()
    assert first[0] == CLS and first[-1] == SEP and len(first) == 7  # don't, cry, ",", cry, "!"
    assert first[2] == first[4] != first[1]
    assert min(first[1:-1]) > max(PAD, CLS, SEP, MASK)
    assert tokens.ids[1].tolist() == [CLS, SEP] + [PAD] * 5
    assert tokens.ids[2, 1].item() == first[2]
    assert tokens.is_word.sum(1).tolist() == [5, 0, 1]
    assert tokens.is_valid.sum(1).tolist() == [7, 2, 3]
    assert HashedWords(30522)(['a b c d e'], 4, CPU).ids.shape == (1, 4)
    with pytest.raises(ValueError, match='vocab_size=4'):
        HashedWords(4)


def test_the_video_is_seen_from_the_fusion_layer_on() -> None:
    """Neither padding of the text nor segments that do not exist matter."""
    text = build(pretrained=None).eval()
    ids, video = torch.randint(5, 15, (2, 6)), torch.randn(2, 3, 8)
    is_valid = torch.tensor([[True] * 4 + [False] * 2] * 2)
    is_there = torch.tensor([[True, True, False]] * 2)

    def run(ids: torch.Tensor, video: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return text.fuse(text.read(ids, is_valid), is_valid, video, is_there)[:, :4]

    before = run(ids, video)
    other_ids, other_video = ids.clone(), video.clone()
    other_ids[:, 4:], other_video[:, 2] = 5, 100.0
    torch.testing.assert_close(run(other_ids, other_video), before)
    other_video[:, 1] = 100.0
    assert not torch.allclose(run(ids, other_video), before)
    assert [layer.cross is not None for layer in text.layers] == [False, False, True]
