"""Word states of a pretrained language model."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor

from mart_mm.models.text_encoders.base import TextEncoder
from mart_mm.registry import MODELS


@MODELS.register_module()
class BertTextEncoder(TextEncoder):
    """Last hidden states of BERT over the whole segment, averaged over the pieces of each word.

    Frozen and in evaluation mode. Results are kept per text, since subtitles come back every epoch.
    The model is loaded when the first cue is encoded, so configs build without weights.

    Args:
        name_or_path: Name on the Hugging Face hub, or a local folder.
        dims: Width of its states; checked when it is loaded.
        max_length: Longest text in word pieces; cues beyond it get zeros.
        cache_size: Texts whose states are kept.
    """

    def __init__(
        self,
        *,
        name_or_path: str = 'bert-base-uncased',
        dims: int = 768,
        max_length: int = 512,
        cache_size: int = 100_000,
    ) -> None:
        self.name_or_path, self.dims = name_or_path, dims
        self.max_length, self.cache_size = max_length, cache_size
        self._model = self._tokenizer = None
        self._cache: OrderedDict[tuple, Tensor] = OrderedDict()

    def _load(self) -> None:
        from transformers import AutoModel, AutoTokenizer

        try:
            tokenizer = AutoTokenizer.from_pretrained(self.name_or_path, use_fast=True)
            model = AutoModel.from_pretrained(self.name_or_path)
        except (OSError, ValueError) as error:
            raise OSError(
                f'text encoder {self.name_or_path!r} cannot be loaded ({error}). Download it on a '
                'machine with network and give its folder as '
                'model.data_preprocessor.text_encoder.name_or_path, or use '
                "text_encoder=dict(type='LexiconVectorEncoder')"
            ) from error
        if not tokenizer.is_fast:
            raise ValueError(
                f'{self.name_or_path!r} has no fast tokenizer, which tells where each piece is: '
                'choose a model that has one'
            )
        width = model.config.hidden_size
        if width != self.dims:
            raise ValueError(
                f'{self.name_or_path!r} has width {width}: set text_encoder.dims={width}'
            )
        self._tokenizer, self._model = tokenizer, model.eval().requires_grad_(False)

    @torch.no_grad()
    def encode(
        self, texts: Sequence[str], cues: Sequence[Sequence[dict]], device: torch.device
    ) -> list[Tensor]:
        """See :class:`TextEncoder`.

        Raises:
            OSError: When the model cannot be loaded, with the remedy.
            ValueError: When its width is not ``dims``, or its tokenizer does not tell places.
        """
        keys = [
            (t, tuple(tuple(cue['span']) for cue in c)) for t, c in zip(texts, cues, strict=True)
        ]
        missing = list(dict.fromkeys(k for k in keys if k[1] and k not in self._cache))
        if missing:
            if self._model is None:
                self._load()
            self._model.to(device)
            self._cache.update(zip(missing, self._encode(missing, device), strict=True))
        encoded = [self._cache[key] if key[1] else torch.zeros(0, self.dims) for key in keys]
        for key in keys:
            if key in self._cache:
                self._cache.move_to_end(key)
        while len(self._cache) > self.cache_size:
            self._cache.popitem(last=False)
        return encoded

    def _encode(self, keys: list[tuple], device: torch.device) -> list[Tensor]:
        batch = self._tokenizer(
            [text for text, _ in keys],
            padding=True,
            truncation=True,
            max_length=self.max_length,
            return_offsets_mapping=True,
            return_tensors='pt',
        )
        offsets = batch.pop('offset_mapping')  # (n, pieces, 2)
        states = self._model(**batch.to(device)).last_hidden_state.float().cpu()  # (n, pieces, Dl)
        encoded = []
        for index, (_, spans) in enumerate(keys):
            start, end = offsets[index].unbind(-1)
            rows = []
            for first, last in spans:
                inside = (start < last) & (end > first) & (end > start)
                weight = inside.float() / inside.sum().clamp(min=1)
                rows.append(weight @ states[index])
            encoded.append(torch.stack(rows))
        return encoded
