import torch

from mart_mm.models.backbones.mbt_language import segment_text
from mart_mm.registry import MODELS


def test_cues_are_encoded_in_every_stage_and_averaged(helpers: object) -> None:
    config = dict(text_encoder=dict(type='LexiconVectorEncoder', dims=16))
    plain = MODELS.build(dict(type='AffectiveDataPreprocessor', **config))
    ours = MODELS.build(dict(type='LanguageDataPreprocessor', **config))
    batch = helpers.batch()
    batch['inputs']['cues']['valid'][1, 0] = False
    batch['data_samples'][1].cues[0] = []
    valid = batch['inputs']['cues']['valid']
    features = plain(batch)['inputs']['cues']['features']
    for encode_cues in (True, False):  # StageSwitchHook turns it off for finetuning
        ours.encode_cues = encode_cues
        inputs = ours(batch)['inputs']
        torch.testing.assert_close(inputs['cues']['features'], features)
        text, is_valid = segment_text(inputs['cues'])
        for b in range(2):
            for s in range(3):
                rows = [features[b, s, k] for k in range(4) if valid[b, s, k]]
                assert bool(is_valid[3 * b + s]) == bool(rows)
                expected = torch.stack(rows).mean(0) if rows else torch.zeros(16)
                torch.testing.assert_close(text[3 * b + s], expected)


def test_a_video_without_cues_has_no_text(helpers: object) -> None:
    ours = MODELS.build(
        dict(
            type='LanguageDataPreprocessor', text_encoder=dict(type='LexiconVectorEncoder', dims=16)
        )
    )
    batch = helpers.batch(num_videos=3)
    batch['inputs']['cues']['valid'][1] = False
    batch['data_samples'][1].cues = [[], [], []]
    batch['inputs']['present']['text'][2] = False
    assert ours(batch)['inputs']['present']['text'].tolist() == [True, False, False]
