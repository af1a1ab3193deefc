"""From what is said to numbered words."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

import torch
from torch import Tensor

PAD, CLS, SEP, MASK = range(4)  # of HashedWords
_WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")


class WordTokens(NamedTuple):
    """Texts as numbers, padded to the longest.

    Attributes:
        ids: Long (B, L); a token for the whole, the words, a token for the end, padding.
        is_valid: Bool (B, L), False for padding.
        is_word: Bool (B, L), neither padding nor one of the special tokens.
    """

    ids: Tensor
    is_valid: Tensor
    is_word: Tensor


class WordTokenizer(ABC):
    """Numbers words.

    Attributes:
        vocab_size: Ids are below this.
        mask_id: Id of the token that hides a word.
    """

    vocab_size: int
    mask_id: int

    def __deepcopy__(self, memo: dict) -> WordTokenizer:
        """Itself: it never changes."""
        return self

    @abstractmethod
    def __call__(self, texts: Sequence[str], max_length: int, device: torch.device) -> WordTokens:
        """Number the words of B texts.

        Args:
            texts: B texts; an empty one has special tokens only.
            max_length: Longest text in tokens; what is beyond is left out.
            device: Of the result.
        """


@lru_cache(maxsize=65536)
def _hashed(word: str, buckets: int) -> int:
    return int.from_bytes(blake2b(word.encode(), digest_size=8).digest(), 'little') % buckets


class HashedWords(WordTokenizer):
    """Whole words in small letters, and punctuation, each by its hash; needs no vocabulary.

    Two words may share a number: of 10,000 different words about 28 % do among 30,522 numbers.

    Args:
        vocab_size: Numbers, four of which are the special tokens'.
    """

    mask_id = MASK

    def __init__(self, vocab_size: int) -> None:
        if vocab_size <= MASK + 1:
            raise ValueError(f'vocab_size={vocab_size}: more than {MASK + 1} are needed')
        self.vocab_size = vocab_size

    def __call__(self, texts: Sequence[str], max_length: int, device: torch.device) -> WordTokens:
        """See :class:`WordTokenizer`."""
        first = MASK + 1
        rows = []
        for text in texts:
            words = _WORD.findall(text.lower())[: max_length - 2]
            numbers = [first + _hashed(word, self.vocab_size - first) for word in words]
            rows.append(torch.tensor([CLS, *numbers, SEP]))
        ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=PAD).to(device)
        return WordTokens(ids, ids != PAD, ids > MASK)


class WordPieces(WordTokenizer):
    """The pieces of a pretrained BERT; loaded when it is first asked.

    Args:
        name_or_path: Name on the Hugging Face hub, or a local folder.
        vocab_size: Of the model that reads the ids.
    """

    def __init__(self, name_or_path: str, vocab_size: int) -> None:
        self.name_or_path, self.vocab_size = name_or_path, vocab_size
        self._tokenizer = None

    def _load(self) -> object:
        """The tokenizer.

        Raises:
            OSError: When it cannot be loaded, with the remedy.
            ValueError: When it has more pieces than ``vocab_size``.
        """
        if self._tokenizer is None:
            from transformers import AutoTokenizer

            try:
                tokenizer = AutoTokenizer.from_pretrained(self.name_or_path)
            except (OSError, ValueError) as error:
                raise cannot_load(self.name_or_path, error) from error
            if len(tokenizer) > self.vocab_size:
                raise ValueError(
                    f'{self.name_or_path!r} has {len(tokenizer)} pieces: set '
                    f'model.pretext.text.vocab_size={len(tokenizer)}'
                )
            self._tokenizer = tokenizer
        return self._tokenizer

    @property
    def mask_id(self) -> int:
        """Id of the token that hides a piece."""
        return self._load().mask_token_id

    def __call__(self, texts: Sequence[str], max_length: int, device: torch.device) -> WordTokens:
        """See :class:`WordTokenizer`.

        Raises:
            OSError: When the pieces cannot be loaded.
        """
        batch = self._load()(
            list(texts),
            padding=True,
            truncation=True,
            max_length=max_length,
            return_special_tokens_mask=True,
            return_tensors='pt',
        )
        ids, is_valid = batch['input_ids'], batch['attention_mask'].bool()
        is_word = is_valid & ~batch['special_tokens_mask'].bool()
        return WordTokens(ids.to(device), is_valid.to(device), is_word.to(device))


def cannot_load(name_or_path: str, error: Exception) -> OSError:
    """The error that says how to get a BERT."""
    return OSError(
        f'BERT {name_or_path!r} cannot be loaded ({error}). Download it on a machine with network and '
        'give its folder as model.pretext.text.pretrained, or set model.pretext.text.pretrained=None '
        'to start from random weights'
    )
