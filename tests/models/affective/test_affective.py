import math

import pytest
import torch

from mart_mm.models.affective.lexicon_attention import LexiconAttention, token_relevance
from mart_mm.models.affective.lexicon_verifier import LexiconVerifier
from mart_mm.models.affective.temporal_cam import TemporalCAM
from mart_mm.models.heads.polarity_consistent import PolarityConsistentHead


def softmax(values: list[float]) -> list[float]:
    total = sum(math.exp(v) for v in values)
    return [math.exp(v) / total for v in values]


@pytest.mark.parametrize('pool', ['max', 'mean'])
def test_temporal_cam_equals_plain_loops(pool: str) -> None:
    B, S, D, C = 2, 3, 4, 3  # noqa: N806
    head = PolarityConsistentHead(in_channels=D, polarity=[-1, 0, 1], pool=pool)
    for parameter in head.parameters():
        torch.nn.init.normal_(parameter)
    z = {name: torch.randn(B, S, D) for name in ('visual', 'audio')}
    present = dict(visual=torch.tensor([True, True]), audio=torch.tensor([True, False]))
    got = TemporalCAM()(head, z, present)
    for b in range(B):
        for t in range(S):
            score = [0.0] * C
            for name in ('visual', 'audio'):
                if not present[name][b]:
                    continue
                weight, bias = head.classifiers[name].weight, head.classifiers[name].bias

                def fc(x: list[float], weight=weight, bias=bias) -> list[float]:
                    return [
                        sum(weight[c, d].item() * x[d] for d in range(D)) + bias[c].item()
                        for c in range(C)
                    ]

                columns = [[z[name][b, s, d].item() for s in range(S)] for d in range(D)]
                pooled = [max(col) if pool == 'max' else sum(col) / S for col in columns]
                video = softmax(fc(pooled))
                segment = fc(z[name][b, t].tolist())
                score = [a + e * s for a, e, s in zip(score, video, segment, strict=True)]
            torch.testing.assert_close(
                got[b, t], torch.tensor(softmax(score)), atol=1e-5, rtol=1e-5
            )


def level_by_hand(
    p: list[float], polarity: list[int], word: dict, has_words: list[bool], tau: float
) -> int:
    mass = {
        sign: sum(v for v, s in zip(p, polarity, strict=True) if s == sign) for sign in (-1, 0, 1)
    }
    sentiment = max((-1, 0, 1), key=lambda sign: (mass[sign], -sign))
    if word['polarity'] != sentiment:
        return 0
    emotion = p.index(max(p))
    if word['class'] < 0 or not has_words[emotion]:
        return 3  # nothing to compare: falls back to E1
    if word['class'] != emotion:
        return 1
    return 3 if abs(word['degrees'][word['class']] - p[word['class']]) < tau else 2


def test_verifier_equals_plain_loops() -> None:
    B, S, K, C = 4, 5, 6, 6  # noqa: N806
    polarity = torch.tensor([-1, -1, 0, 1, -1, 1])
    distribution = (3 * torch.randn(B, S, C)).softmax(-1)
    cues = dict(
        polarity=torch.randint(-1, 2, (B, S, K)),
        emotion=torch.rand(B, S, K, C),
        emotion_class=torch.randint(-1, C, (B, S, K)),
        class_has_words=torch.tensor([True] * 5 + [False]).expand(B, C),
    )
    # make agreement frequent enough that every level occurs
    own = distribution.argmax(-1)
    cues['emotion_class'][..., 0] = own
    cues['polarity'][..., :2] = LexiconVerifier.sentiment(distribution, polarity)[..., None]
    got = LexiconVerifier(threshold=0.5)(distribution, polarity, cues)
    for b in range(B):
        for s in range(S):
            for k in range(K):
                word = {
                    'polarity': int(cues['polarity'][b, s, k]),
                    'class': int(cues['emotion_class'][b, s, k]),
                    'degrees': cues['emotion'][b, s, k].tolist(),
                }
                expected = level_by_hand(
                    distribution[b, s].tolist(),
                    polarity.tolist(),
                    word,
                    cues['class_has_words'][b].tolist(),
                    0.5,
                )
                assert int(got[b, s, k]) == expected
    assert set(got.flatten().tolist()) == {0, 1, 2, 3}


def test_lexicon_attention_equals_plain_loops() -> None:
    dims, text_dims, heads, K, N = 8, 5, 2, 3, 4  # noqa: N806
    module = LexiconAttention(dims=dims, text_dims=text_dims, num_heads=heads)
    words, tokens = torch.randn(1, K, text_dims), torch.randn(1, N, dims)
    out = module(words, tokens)
    x, z = module.norm_words(words)[0], module.norm_tokens(tokens)[0]
    q, k, v = module.query(x), module.key(z), module.value(z)
    size = dims // heads
    features, mean = torch.zeros(K, dims), torch.zeros(K, N)
    for word in range(K):
        joined = []
        for head in range(heads):
            part = slice(head * size, (head + 1) * size)
            scores = [(q[word, part] @ k[n, part]).item() / math.sqrt(size) for n in range(N)]
            weights = softmax(scores)
            mean[word] += torch.tensor(weights) / heads  # Eq. 6
            joined.append(sum(weights[n] * v[n, part] for n in range(N)))
        features[word] = module.out(torch.cat(joined))
    torch.testing.assert_close(out.features[0], features, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(out.attention[0], mean, atol=1e-5, rtol=1e-5)


def test_relevance_counts_valid_words_only() -> None:
    attention = torch.rand(2, 3, 4)
    valid = torch.tensor([[True, False, True], [False, False, False]])
    got = token_relevance(attention, valid)
    torch.testing.assert_close(got[0], (attention[0, 0] + attention[0, 2]) / 2)
    assert got[1].eq(0).all()
