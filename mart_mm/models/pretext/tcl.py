"""TCL (Yang et al.: Vision-Language Pre-Training with Triple Contrastive Learning, CVPR 2022)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from mart_mm.models.backbones.base import AffectiveBackbone
from mart_mm.models.heads.base import AffectiveHead
from mart_mm.models.layers.identity import identities
from mart_mm.models.layers.momentum import MomentumCopy
from mart_mm.models.losses.reduce import global_mean
from mart_mm.models.losses.tcl import (
    hard_negatives,
    local_contrast,
    mask_words,
    matching_losses,
    soft_contrast,
    word_losses,
)
from mart_mm.models.pretext.base import Pretext
from mart_mm.models.pretext.tcl_pairs import EncodedPairs, encode_pairs
from mart_mm.models.pretext.tcl_queue import PairFeatures, PairQueue
from mart_mm.models.pretext.tcl_text import FusionBert
from mart_mm.models.pretext.tcl_words import WordTokens
from mart_mm.registry import MODELS
from mart_mm.structures.affective_data_sample import AffectiveDataSample

if TYPE_CHECKING:
    from mart_mm.models.recognizers.affective import AffectiveRecognizer


@MODELS.register_module()
class TCL(Pretext):
    """A video and what is said in it attract each other; so do two views of it, and it and its parts.

    Losses, the first three over six as in the paper's code, so that they and the others sum up:

    ============ ===================================================================================
    ``loss_cma`` cross-modal alignment: video to text and back, momentum features and queue as keys,
                 soft targets
    ``loss_imc`` the same within each modality, without soft targets
    ``loss_lmi`` local mutual information: the video and its segments, the text and its words
    ``loss_itm`` does this text belong to this video? One hard negative text and video for each pair
    ``loss_mlm`` guess hidden words by the text and the video
    ============ ===================================================================================

    The feature of a segment is the mean of its streams' features, that of a video the mean of its
    segments'; the text sees the segments' features. Needs ``TwoViews`` in the pipeline: the second view
    is the momentum encoder's. The text is that of the whole record (``texts`` of the samples). Videos
    without words take part in no loss of texts, not as negatives either. No label is read.

    Args:
        backbone: The recogniser's backbone.
        head: Not used: no label is read.
        text_dims: Not used: the words are read by ``text``.
        text: Config of a :class:`FusionBert`.
        dims: Width of the contrasted features.
        temperature: At the start; it is learned within [0.001, 0.5].
        momentum: Of the momentum encoder.
        queue_size: Features kept of past batches. A video's own are never its negatives.
        soft_share: Share of soft targets (alpha), from the second epoch on.
        mask_ratio: Share of the words to be guessed.

    Raises:
        ValueError: For shares out of range; from ``loss``, for a batch of one video, or one view.
    """

    min_videos = 2

    def __init__(
        self,
        *,
        backbone: AffectiveBackbone,
        head: AffectiveHead,
        text_dims: int,
        text: dict,
        dims: int = 256,
        temperature: float = 0.07,
        momentum: float = 0.995,
        queue_size: int = 1024,
        soft_share: float = 0.4,
        mask_ratio: float = 0.15,
    ) -> None:
        super().__init__()
        for name, share in (('soft_share', soft_share), ('mask_ratio', mask_ratio)):
            if not 0 <= share <= 1:
                raise ValueError(f'{name}={share}: give a share from 0 to 1')
        self.momentum, self.soft_share, self.mask_ratio = momentum, soft_share, mask_ratio
        self.text: FusionBert = MODELS.build(
            text, default_args=dict(context_dims=backbone.embed_dims)
        )
        self.projectors = nn.ModuleDict(
            dict(
                video=nn.Linear(backbone.embed_dims, dims),
                text=nn.Linear(self.text.embed_dims, dims),
            )
        )
        self.temperature = nn.Parameter(torch.tensor(temperature))
        self.matcher = nn.Linear(self.text.embed_dims, 2)
        self.queue = PairQueue(queue_size, dims)
        self.key_backbone = MomentumCopy(backbone)
        self.key_text = MomentumCopy(self.text)
        self.key_projectors = MomentumCopy(self.projectors)

    def init_weights(self) -> None:
        """Load the pretrained BERT, if any; the momentum copies follow at the first step."""
        self.text.init_weights()

    def loss(
        self,
        recognizer: AffectiveRecognizer,
        inputs: dict,
        data_samples: list[AffectiveDataSample],
    ) -> dict[str, Tensor]:
        """The five losses."""
        self._check(inputs)
        self._follow(recognizer.backbone)
        soft_share = self.soft_share if recognizer.stage.epoch > 1 else 0.0
        device = inputs['present']['text'].device
        texts = [' '.join(filter(None, sample.texts)) for sample in data_samples]
        tokens = self.text.tokenize(texts, device)
        own = encode_pairs(inputs, tokens, recognizer.backbone, self.text, self.projectors)
        with torch.no_grad():
            copies = self.key_backbone, self.key_text, self.key_projectors
            keys = encode_pairs(
                inputs | inputs['second'], tokens, *(copy.module for copy in copies)
            )
        batch = PairFeatures(
            keys.video,
            keys.text,
            has_words=tokens.is_word.any(1),
            identity=identities([sample.video_id for sample in data_samples], device),
        )
        losses = self._contrasts(own, keys, batch, tokens, soft_share)
        losses['loss_itm'] = self._matching(own, batch, tokens)
        losses['loss_mlm'] = self._guessing(own, keys, tokens, soft_share)
        self.queue.push(batch)
        return losses

    def _check(self, inputs: dict) -> None:
        if 'second' not in inputs:
            raise ValueError(
                'TCL compares two views of a video: let the training pipeline be a TwoViews'
            )
        if len(inputs['imgs']) < self.min_videos:
            raise ValueError(
                'TCL contrasts the videos of a batch, and here a batch is one video: set '
                'train_dataloader.batch_size to 2 or more (16 or more works well; accumulation does '
                'not help) and train_dataloader.drop_last=True'
            )

    @torch.no_grad()
    def _follow(self, backbone: nn.Module) -> None:
        """Keep the temperature in its range, and move the momentum copies."""
        self.temperature.clamp_(0.001, 0.5)
        self.key_backbone.update(backbone, self.momentum)
        self.key_text.update(self.text, self.momentum)
        self.key_projectors.update(self.projectors, self.momentum)

    def _contrasts(
        self,
        own: EncodedPairs,
        keys: EncodedPairs,
        batch: PairFeatures,
        tokens: WordTokens,
        soft_share: float,
    ) -> dict[str, Tensor]:
        """Cross-modal alignment, contrast within a modality, local mutual information."""
        every, is_other = self.queue.behind(batch)
        has_words, size = batch.has_words, len(batch.identity)
        is_own = torch.eye(*is_other.shape, dtype=torch.bool, device=is_other.device)
        is_key = dict(video=is_own | is_other, text=is_own | (is_other & every.has_words))
        features = dict(
            video=(own.video, keys.video, every.video), text=(own.text, keys.text, every.text)
        )
        everyone = torch.ones_like(has_words)
        cma = imc = 0
        for name, other in (('video', 'text'), ('text', 'video')):
            query, momentum_query, _ = features[name]
            aligned = soft_contrast(
                query,
                features[other][2],
                is_key['text'],
                self.temperature,
                momentum_queries=momentum_query,
                soft_share=soft_share,
            )
            cma = cma + global_mean(aligned, has_words)
            within = soft_contrast(query, features[name][2], is_key[name], self.temperature)
            imc = imc + global_mean(within, everyone if name == 'video' else has_words)
        is_other = is_other[:, :size]
        is_word = tokens.is_valid[:, 1:] & has_words[:, None]  # and the end of the text
        is_segment = everyone[:, None].expand(keys.video_parts.shape[:2])
        local = global_mean(
            local_contrast(own.video, keys.video_parts, is_segment, is_other, self.temperature),
            everyone,
        ) + global_mean(
            local_contrast(own.text, keys.text_parts, is_word, is_other, self.temperature),
            has_words,
        )
        return dict(loss_cma=cma / 6, loss_imc=imc / 6, loss_lmi=local / 6)

    def _matching(self, own: EncodedPairs, batch: PairFeatures, tokens: WordTokens) -> Tensor:
        """One pair that belongs together and two that do not for each video with words."""
        is_candidate = (batch.identity[:, None] != batch.identity) & batch.has_words
        of_text, has_negative = hard_negatives(
            own.text.detach() @ batch.video.T / self.temperature, is_candidate
        )
        of_video, _ = hard_negatives(
            own.video.detach() @ batch.text.T / self.temperature, is_candidate
        )
        itself = torch.arange(len(of_text), device=of_text.device)
        texts, videos = torch.cat([itself, itself, of_video]), torch.cat([itself, of_text, itself])
        fused = self.text.fuse(
            own.states[texts], tokens.is_valid[texts], own.segments[videos], own.is_present[videos]
        )
        is_match = torch.arange(3, device=itself.device).repeat_interleave(len(itself)) == 0
        losses = matching_losses(self.matcher(fused[:, 0]), is_match)
        return global_mean(losses, (has_negative & batch.has_words).repeat(3))

    def _guessing(
        self, own: EncodedPairs, keys: EncodedPairs, tokens: WordTokens, soft_share: float
    ) -> Tensor:
        """Hidden words, guessed with each encoder's own view of the video."""
        masked = mask_words(
            tokens.ids,
            tokens.is_word,
            ratio=self.mask_ratio,
            mask_id=self.text.tokenizer.mask_id,
            vocab_size=self.text.vocab_size,
        )
        places = masked.is_masked.flatten().nonzero()[:, 0]

        def guess(text: FusionBert, pairs: EncodedPairs) -> Tensor:
            states = text.read(masked.ids, tokens.is_valid)
            fused = text.fuse(states, tokens.is_valid, pairs.segments, pairs.is_present)
            return text.word_logits(fused.flatten(0, 1)[places])

        with torch.no_grad():
            momentum_logits = guess(self.key_text.module, keys)
        losses = word_losses(
            guess(self.text, own), tokens.ids.flatten()[places], momentum_logits, soft_share
        )
        return global_mean(losses, torch.ones_like(losses, dtype=torch.bool))
