"""TCL's language side: half a BERT reads the text, the other half reads it together with the video."""

from __future__ import annotations

import re
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mart_mm.models.layers.bert import BertLayer, init_bert
from mart_mm.models.pretext.tcl_words import HashedWords, WordPieces, WordTokens, cannot_load
from mart_mm.registry import MODELS

#: names of transformers' BERT and of the modules here
_NAMES = (
    (r'^bert\.embeddings\.word_embeddings\.', 'words.'),
    (r'^bert\.embeddings\.position_embeddings\.', 'positions.'),
    (r'^bert\.embeddings\.LayerNorm\.', 'norm.'),
    (r'^bert\.encoder\.layer\.(\d+)\.', r'layers.\1.'),
    (r'\.attention\.self\.', '.attn.'),
    (r'\.attention\.output\.dense\.', '.attn.proj.'),
    (r'\.attention\.output\.LayerNorm\.', '.attn.norm.'),
    (r'\.intermediate\.dense\.', '.mlp.0.'),
    (r'(layers\.\d+)\.output\.dense\.', r'\1.mlp.2.'),
    (r'(layers\.\d+)\.output\.LayerNorm\.', r'\1.norm.'),
    (r'^cls\.predictions\.transform\.dense\.', 'guess.0.'),
    (r'^cls\.predictions\.transform\.LayerNorm\.', 'guess.2.'),
    (r'^cls\.predictions\.bias$', 'guess_bias'),
)


@MODELS.register_module()
class FusionBert(nn.Module):
    """BERT whose layers from ``fusion_layer`` on also attend to a video (ALBEF, TCL).

    Args:
        context_dims: Width of the video's tokens; given by the pretext.
        embed_dims: Width D.
        depth: Number of layers.
        num_heads: Attention heads.
        fusion_layer: First layer (from 0) that sees the video.
        vocab_size: Number of words, or of pieces.
        max_length: Longest text in tokens.
        num_positions: Of the table of positions.
        dropout: After each part.
        pretrained: Name on the Hugging Face hub, or local folder, of the BERT to start from; its word
            pieces are used. None: random weights on whole words (:class:`HashedWords`).

    Raises:
        ValueError: When ``fusion_layer`` or ``max_length`` is out of range.
    """

    def __init__(
        self,
        *,
        context_dims: int,
        embed_dims: int = 768,
        depth: int = 12,
        num_heads: int = 12,
        fusion_layer: int = 6,
        vocab_size: int = 30522,
        max_length: int = 128,
        num_positions: int = 512,
        dropout: float = 0.1,
        pretrained: str | None = None,
    ) -> None:
        super().__init__()
        if not 0 < fusion_layer < depth:
            raise ValueError(f'fusion_layer={fusion_layer}: give a layer from 1 to {depth - 1}')
        if not 3 <= max_length <= num_positions:
            raise ValueError(f'max_length={max_length}: give 3 to num_positions={num_positions}')
        self.embed_dims, self.fusion_layer = embed_dims, fusion_layer
        self.vocab_size, self.max_length, self.pretrained = vocab_size, max_length, pretrained
        self.tokenizer = (
            WordPieces(pretrained, vocab_size) if pretrained else HashedWords(vocab_size)
        )
        self.words = nn.Embedding(vocab_size, embed_dims)
        self.positions = nn.Embedding(num_positions, embed_dims)
        self.norm, self.dropout = nn.LayerNorm(embed_dims, eps=1e-12), nn.Dropout(dropout)
        self.layers = nn.ModuleList(
            BertLayer(
                embed_dims,
                num_heads=num_heads,
                context_dims=context_dims if index >= fusion_layer else None,
                dropout=dropout,
            )
            for index in range(depth)
        )
        self.guess = nn.Sequential(
            nn.Linear(embed_dims, embed_dims), nn.GELU(), nn.LayerNorm(embed_dims, eps=1e-12)
        )
        self.guess_bias = nn.Parameter(torch.zeros(vocab_size))
        self.apply(init_bert)

    def tokenize(self, texts: Sequence[str], device: torch.device) -> WordTokens:
        """Numbered words of B texts."""
        return self.tokenizer(texts, self.max_length, device)

    def read(self, ids: Tensor, is_valid: Tensor) -> Tensor:
        """The text alone: the layers before ``fusion_layer``.

        Args:
            ids: Long (B, L).
            is_valid: Bool (B, L), False for padding.

        Returns:
            (B, L, D); the first token stands for the text.
        """
        x = self.dropout(self.norm(self.words(ids) + self.positions.weight[: ids.shape[1]]))
        for layer in self.layers[: self.fusion_layer]:
            x = layer(x, is_valid)
        return x

    def fuse(self, text: Tensor, is_valid: Tensor, video: Tensor, video_is_valid: Tensor) -> Tensor:
        """The text together with the video: the other layers.

        Args:
            text: (B, L, D), of :meth:`read`.
            is_valid: Bool (B, L).
            video: (B, M, context_dims).
            video_is_valid: Bool (B, M), at least one per row.

        Returns:
            (B, L, D).
        """
        for layer in self.layers[self.fusion_layer :]:
            text = layer(text, is_valid, video, video_is_valid)
        return text

    def word_logits(self, x: Tensor) -> Tensor:
        """Which word a state (n, D) stands for, (n, vocab_size); by the words' own embeddings."""
        return F.linear(self.guess(x), self.words.weight, self.guess_bias)

    def init_weights(self) -> None:
        """Load the pretrained BERT, if any; attention on the video keeps its random weights.

        Raises:
            OSError: When it cannot be loaded, with the remedy.
            ValueError: When its sizes are not those of this model.
        """
        if not self.pretrained:
            return
        from transformers import BertForMaskedLM

        try:
            bert = BertForMaskedLM.from_pretrained(self.pretrained)
        except (OSError, ValueError) as error:
            raise cannot_load(self.pretrained, error) from error
        self.load_bert(bert.state_dict())

    @torch.no_grad()
    def load_bert(self, state: dict[str, Tensor]) -> None:
        """Take the weights of transformers' ``BertForMaskedLM``.

        The embedding of the first sentence is added to that of every position.

        Raises:
            ValueError: When its sizes are not those of this model.
        """
        renamed = {}
        for name, value in state.items():
            for old, new in _NAMES:
                name = re.sub(old, new, name)
            renamed[name] = value
        own = self.state_dict()
        wanted = [name for name in own if '.cross.' not in name]
        wrong = [n for n in wanted if n not in renamed or renamed[n].shape != own[n].shape]
        deeper = {n for n in renamed if n.startswith('layers.') and n not in own}
        if wrong or deeper:
            raise ValueError(
                f'{self.pretrained!r} does not fit at {", ".join([*wrong, *sorted(deeper)][:3])}: '
                'set embed_dims, depth, vocab_size and num_positions of model.pretext.text to its sizes'
            )
        renamed['positions.weight'] = (
            renamed['positions.weight'] + state['bert.embeddings.token_type_embeddings.weight'][0]
        )
        self.load_state_dict({name: renamed[name] for name in wanted}, strict=False)
