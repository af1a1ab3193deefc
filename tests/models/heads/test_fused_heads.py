import copy
import math

import pytest
import torch
from torch import Tensor, nn

from mart_mm.models.affective.temporal_cam import TemporalCAM
from mart_mm.models.heads.base import AffectiveHead
from mart_mm.models.heads.cross_modal import CrossAttention, NonLocalSegments
from mart_mm.models.heads.cten import CTENHead, split_segments, stretch
from mart_mm.models.heads.language import LanguageHead
from mart_mm.models.heads.summed_logits import SummedLogitsHead
from mart_mm.models.heads.temporal_attention import TemporalAttention
from mart_mm.models.heads.tensor_fusion import TensorFusionHead, TextSubnet, tensor_fusion
from mart_mm.models.heads.tfn_concat import TFNConcatHead
from mart_mm.models.heads.vaanet import VAANetHead

POLARITY = [-1, 0, 1]
D, S = 8, 4
HEADS = dict(
    vaanet=lambda: VAANetHead(in_channels=D, polarity=POLARITY, num_segments=S, audio_dims=4),
    msaf=lambda: SummedLogitsHead(in_channels=D, polarity=POLARITY),
    tfn=lambda: TensorFusionHead(
        in_channels=D, polarity=POLARITY, text_dims=5, hidden_dims=3, text_hidden_dims=6
    ),
    tfn_concat=lambda: TFNConcatHead(in_channels=D, polarity=POLARITY, audio_dims=4),
    cten=lambda: CTENHead(
        in_channels=D, polarity=POLARITY, num_segments=S, inner_dims=4, num_heads=2
    ),
    language=lambda: LanguageHead(in_channels=D, polarity=POLARITY),
)
heads = pytest.mark.parametrize('kind', HEADS)


def make(kind: str) -> AffectiveHead:
    """A head whose batch norms have seen something, in evaluation mode."""
    head = HEADS[kind]()
    for module in head.modules():
        if isinstance(module, nn.BatchNorm1d):
            nn.init.uniform_(module.running_mean, -0.5, 0.5)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
    return head.eval()


def make_features(num_videos: int = 3, text_dims: int = 5) -> dict[str, Tensor]:
    features = {name: torch.randn(num_videos, S, D) for name in ('visual', 'audio')}
    features['text'] = torch.randn(num_videos, S, text_dims)
    features['text_is_valid'] = torch.rand(num_videos, S) < 0.7
    features['text_is_valid'][:, 0] = True
    return features


def features_for(kind: str, num_videos: int = 3) -> dict[str, Tensor]:
    features = make_features(num_videos, D if kind == 'language' else 5)
    return (
        features if kind in ('tfn', 'language') else {n: features[n] for n in ('visual', 'audio')}
    )


def present_for(num_videos: int = 3, **absent: list[int]) -> dict[str, Tensor]:
    present = {n: torch.ones(num_videos, dtype=torch.bool) for n in ('visual', 'audio', 'text')}
    for name, videos in absent.items():
        present[name][videos] = False
    return present


@heads
def test_contract(kind: str) -> None:
    head, features, present = make(kind), features_for(kind), present_for(audio=[1])
    logits, by_segment = head(features, present), head.segment_logits(features, present)
    is_present = head.stream_present(present)
    assert set(logits) == set(by_segment) == set(is_present) == set(head.streams)
    for name in head.streams:
        assert logits[name].shape == (3, 3)
        assert by_segment[name].shape == (3, S, 3)
        assert is_present[name].tolist() == [True, name != 'audio', True]
    for name, values in head(features).items():  # None means all
        torch.testing.assert_close(values, head(features, present_for())[name])
    labels = torch.tensor([0, 1, 2])
    losses = head.loss(features, labels, present)
    assert all(name.startswith('loss_cls_') and loss.ndim == 0 for name, loss in losses.items())
    torch.testing.assert_close(head.predict(features, present).sum(1), torch.ones(3))


@heads
def test_absent_modalities_take_no_part(kind: str) -> None:
    """Not even when their features are not finite; what is left differs from both together."""
    head, features = make(kind), features_for(kind)
    present = present_for(audio=[1], visual=[2])
    changed = copy.deepcopy(features)
    changed['audio'][1], changed['visual'][2] = 1e4, -1e4
    assert torch.allclose(head.predict(features, present), head.predict(changed, present))
    cam = TemporalCAM()
    torch.testing.assert_close(cam(head, features, present), cam(head, changed, present))
    labels = torch.tensor([0, 1, 2])
    for name, loss in head.loss(features, labels, present).items():
        torch.testing.assert_close(loss, head.loss(changed, labels, present)[name])
    assert (
        head.predict(features, present) - head.predict(features, present_for())
    ).abs().max() > 1e-4


@heads
def test_videos_without_any_modality_do_not_count(kind: str) -> None:
    head, features = make(kind), features_for(kind)
    lone = {name: x[:2] for name, x in features.items()}
    nothing = present_for(visual=[2], audio=[2], text=[2])
    labels = torch.tensor([0, 1, 2])
    for name, loss in head.loss(features, labels, nothing).items():
        torch.testing.assert_close(loss, head.loss(lone, labels[:2], present_for(2))[name])


@heads
def test_temporal_cam_leaves_no_trace_in_the_head(kind: str) -> None:
    """It asks the head as in evaluation: no dropout, no moved statistics; the mode is restored."""
    head, features = make(kind).train(), features_for(kind)
    before = copy.deepcopy(head.state_dict())
    first = TemporalCAM()(head, features, present_for())
    second = TemporalCAM()(head, features, present_for())
    torch.testing.assert_close(first, second)
    assert all(torch.equal(before[name], value) for name, value in head.state_dict().items())
    assert all(module.training for module in head.modules())


@pytest.mark.parametrize('kind', ['vaanet', 'msaf', 'tfn_concat', 'cten'])
def test_segments_logits_average_to_the_videos(kind: str) -> None:
    head, features, present = make(kind), features_for(kind), present_for(audio=[1])
    by_segment = head.segment_logits(features, present)['fused']
    torch.testing.assert_close(by_segment.mean(1), head(features, present)['fused'])
    assert by_segment.std(1).min() > 0


def test_summed_logits_have_one_loss_on_the_sum() -> None:
    head, features, present = make('msaf'), features_for('msaf'), present_for(audio=[1])
    labels = torch.tensor([2, 0, 1])
    expected = 0.0
    for b in range(3):
        logits = head.classifiers['visual'](features['visual'][b].mean(0))
        if b != 1:
            logits = logits + head.classifiers['audio'](features['audio'][b].mean(0))
        expected -= logits.log_softmax(0)[labels[b]] / 3
    losses = head.loss(features, labels, present)
    assert list(losses) == ['loss_cls_fused']
    torch.testing.assert_close(losses['loss_cls_fused'], expected)


def test_polarity_penalty_weighs_wrong_polarity_by_half_more() -> None:
    """PCCE, lambda .5: golden number of METHODS 13."""
    head = SummedLogitsHead(in_channels=3, polarity=[-1, -1, 1], penalty=0.5)
    for classifier in head.classifiers.values():
        nn.init.zeros_(classifier.weight)
        nn.init.zeros_(classifier.bias)
    with torch.no_grad():
        head.classifiers['visual'].bias.copy_(torch.tensor([2.0, 1.0, 0.0]))
    features = {name: torch.zeros(1, S, 3) for name in ('visual', 'audio')}
    losses = [
        head.loss(features, torch.tensor([label]), present_for(1))['loss_cls_fused'].item()
        for label in range(3)
    ]
    total = math.log(math.exp(2) + math.exp(1) + 1)
    assert losses == pytest.approx([total - 2, total - 1, 1.5 * total], rel=1e-5)


@torch.no_grad()
def test_vaanet_head_equals_plain_loops() -> None:
    head, features, present = make('vaanet'), features_for('vaanet'), present_for(audio=[1])
    for b in range(3):
        pooled = []
        linear, norm, _ = head.embed_audio
        sound = linear(features['audio'][b])
        sound = (sound - norm.running_mean) / (norm.running_var + norm.eps).sqrt()
        sound = torch.tanh(sound * norm.weight + norm.bias)
        for name, x in (('visual', features['visual'][b]), ('audio', sound)):
            attention = head.attention[name]
            scores = []
            for t in range(S):
                value = attention.score.weight[0] @ x[t] - attention.norm.running_mean[0]
                value = value / (attention.norm.running_var[0] + attention.norm.eps).sqrt()
                scores.append(torch.tanh(value))
            gamma = [
                max(
                    0.0,
                    sum(attention.mix.weight[t, u] * scores[u] for u in range(S)).item()
                    + attention.mix.bias[t].item(),
                )
                for t in range(S)
            ]
            mean = sum(gamma[t] * x[t] for t in range(S)) / S
            pooled.append(mean * float(present[name][b]))
        expected = head.classifier.weight @ torch.cat(pooled) + head.classifier.bias
        torch.testing.assert_close(head(features, present)['fused'][b], expected)


def test_temporal_attention_starts_near_one_and_refuses_other_lengths() -> None:
    module = TemporalAttention(D, S)
    gamma = module.eval()(0.1 * torch.randn(50, S, D))
    assert 0.8 < gamma.mean() < 1.2
    with pytest.raises(ValueError, match='a video of 5 segments'):
        module(torch.randn(1, 5, D))


def test_tensor_fusion_equals_loops_and_einsum() -> None:
    a, b, c = torch.randn(2, 2), torch.randn(2, 3), torch.randn(2, 4)
    got = tensor_fusion([a, b, c]).unflatten(1, (3, 4, 5))
    one = [torch.cat([torch.ones(2, 1), x], 1) for x in (a, b, c)]
    torch.testing.assert_close(got, torch.einsum('ni,nj,nk->nijk', *one))
    for n in range(2):
        for i in range(3):
            for j in range(4):
                for k in range(5):
                    expected = (a[n, i - 1] if i else 1.0) * (b[n, j - 1] if j else 1.0)
                    expected = expected * (c[n, k - 1] if k else 1.0)
                    assert got[n, i, j, k].item() == pytest.approx(float(expected), abs=1e-6)
    two = tensor_fusion([a, b]).unflatten(1, (3, 4))
    without = tensor_fusion([a, b, torch.zeros(2, 4)]).unflatten(1, (3, 4, 5))
    torch.testing.assert_close(without[..., 0], two)
    assert (without[..., 1:] == 0).all()


@torch.no_grad()
def test_tensor_fusion_head_equals_its_parts() -> None:
    head, features, present = make('tfn'), features_for('tfn'), present_for(audio=[1], text=[2])
    got = head(features, present)['fused']
    for b in range(3):
        vectors = []
        for name in ('visual', 'audio'):
            x = nn.BatchNorm1d(D).eval()
            x.load_state_dict(head.norms[name].state_dict())
            hidden = x(features[name][b]).mean(0)
            for layer in head.subnets[name]:
                hidden = layer(hidden)
            assert len(hidden) == 3
            assert (hidden >= 0).all()
            vectors.append(hidden if present[name][b] else torch.zeros(3))
        words = features['text'][b][features['text_is_valid'][b]]
        subnet = head.subnets['text']
        state = subnet.lstm(words[None])[1][0][0, 0]  # the last hidden state
        text = subnet.out(state) if present['text'][b] else torch.zeros(3)
        z = torch.ones(1)
        for vector in (*vectors, text):
            z = torch.kron(z, torch.cat([torch.ones(1), vector]))
        assert len(z) == 64
        torch.testing.assert_close(got[b], head.network(z), atol=1e-6, rtol=1e-5)


def test_text_subnet_reads_valid_places_in_their_order() -> None:
    subnet = TextSubnet(5, 6, 3, 0.0)
    x, is_valid = torch.randn(3, S, 5), torch.tensor([[0, 1, 0, 1], [1, 1, 1, 1], [0, 0, 0, 0]]) > 0
    got = subnet(x, is_valid)
    for row in range(2):
        state = subnet.lstm(x[row][is_valid[row]][None])[1][0][0, 0]
        torch.testing.assert_close(got[row], subnet.out(state))
    assert (got[2] == 0).all()


def test_two_modalities_make_a_matrix() -> None:
    head = TensorFusionHead(
        in_channels=D, polarity=POLARITY, modalities=['visual', 'audio'], hidden_dims=3
    )
    assert head.network[1].in_features == 16
    assert head(features_for('msaf'))['fused'].shape == (3, 3)
    with pytest.raises(ValueError, match='text_dims'):
        TensorFusionHead(in_channels=D, polarity=POLARITY)
    with pytest.raises(ValueError, match='modalities'):
        TensorFusionHead(in_channels=D, polarity=POLARITY, modalities=['audio'])


@torch.no_grad()
def test_concatenation_is_no_tensor_fusion() -> None:
    """Its logits are additive in the modalities; those of tensor fusion are not."""

    def interaction(head: AffectiveHead, features: dict[str, Tensor]) -> float:
        def logits(**absent: list[int]) -> Tensor:
            return head(features, present_for(**absent))['fused']

        everyone = [0, 1, 2]
        words = dict(text=everyone)
        mixed = logits(**words) - logits(audio=everyone, **words) - logits(visual=everyone, **words)
        return (mixed + logits(audio=everyone, visual=everyone, **words)).abs().max().item()

    assert interaction(make('tfn_concat'), features_for('tfn_concat')) < 1e-5
    assert interaction(make('tfn'), features_for('tfn')) > 1e-3


def test_non_local_block_equals_plain_loops() -> None:
    module = NonLocalSegments(D, 4).eval()
    nn.init.uniform_(module.norm.running_var, 0.5, 2.0)
    nn.init.constant_(module.alpha, 0.3)
    x = torch.randn(2, S, D)
    got = module(x)
    for b in range(2):
        for t in range(S):
            q = module.query(x[b, t])
            scores = torch.stack([q @ module.key(x[b, u]) / 2 for u in range(S)])  # sqrt(4)
            mixed = sum(w * module.value(x[b, u]) for u, w in enumerate(scores.softmax(0)))
            out = module.out(mixed) / (module.norm.running_var + module.norm.eps).sqrt()
            torch.testing.assert_close(got[b, t], out + 0.3 * x[b, t], atol=1e-5, rtol=1e-4)


def test_cross_attention_equals_plain_loops() -> None:
    module = CrossAttention(D, num_heads=2)
    queries, x = torch.randn(2, S, D), torch.randn(2, S, D)
    got = module(queries, x)
    for b in range(2):
        q, k, v = (
            module.query(queries[b]).relu(),
            module.key(x[b]).relu(),
            module.value(x[b]).relu(),
        )
        parts = []
        for head in (slice(0, 4), slice(4, 8)):
            parts.append((q[:, head] @ k[:, head].T / 2).softmax(-1) @ v[:, head])
        torch.testing.assert_close(got[b], module.out(torch.cat(parts, -1)).relu())
    with pytest.raises(ValueError, match='not a multiple'):
        CrossAttention(D, num_heads=3)


def test_cten_threshold() -> None:
    """.7 max + .3 min: 0.7 for weights between 0 and 1."""
    gamma = torch.tensor([[0.0, 0.69, 0.71, 1.0], [0.2, 0.2, 0.2, 0.2]])
    kept = split_segments(gamma)
    assert kept.context.tolist() == [[True, True, False, False], [False] * 4]
    assert kept.key.tolist() == [[False, False, True, True], [False] * 4]


def test_kept_segments_fill_all_places_in_their_order() -> None:
    x = torch.arange(6.0)[None, :, None].repeat(4, 1, 1)
    is_kept = torch.tensor(
        [[0, 1, 0, 0, 1, 0], [1, 0, 1, 1, 1, 0], [0] * 6, [0, 0, 0, 0, 0, 1]], dtype=torch.bool
    )
    assert stretch(x, is_kept)[..., 0].tolist() == [
        [1, 1, 1, 4, 4, 4],
        [0, 0, 2, 3, 3, 4],
        [0, 1, 2, 3, 4, 5],
        [5] * 6,
    ]


def test_cten_erased_segments_have_no_influence_on_their_terms() -> None:
    head, features, present = make('cten'), features_for('cten'), present_for(audio=[1])
    features['visual'].requires_grad_()
    kept = split_segments(head.weighted(features, present)[1])
    assert (kept.context ^ kept.key).all()  # random weights never tie
    labels = torch.tensor([0, 1, 2])
    losses = head.loss(features, labels, present)
    assert list(losses) == [
        'loss_cls_fused',
        'loss_cls_key_erased',
        'loss_cls_context_erased',
    ]
    for name, is_kept in (('key_erased', kept.context), ('context_erased', kept.key)):
        gradient = torch.autograd.grad(
            losses[f'loss_cls_{name}'], features['visual'], retain_graph=True
        )[0]
        assert torch.equal(gradient.abs().sum(-1) > 0, is_kept)
    whole = torch.autograd.grad(losses['loss_cls_fused'], features['visual'])[0]
    assert (whole.abs().sum(-1) > 0).all()


@torch.no_grad()
def test_cten_attends_across_modalities_only_where_both_are() -> None:
    head, features = make('cten'), features_for('cten')
    weighted, gamma = head.weighted(features, present_for(audio=[1]))
    alone = head.non_local['visual'](features['visual'][1:2])
    joined = torch.cat([alone, torch.zeros_like(alone)], -1)
    torch.testing.assert_close(gamma[1:2], head.attention(joined))
    torch.testing.assert_close(weighted[1:2], joined * gamma[1:2, :, None])
    both = [head.non_local['visual'](features['visual'])]
    norm, tanh = head.embed_audio
    both.append(head.non_local['audio'](tanh(norm(features['audio']))))
    expected = [
        both[0] + head.cross['visual'](both[1], both[0]),  # the sound looks into the frames
        both[1] + head.cross['audio'](both[0], both[1]),
    ]
    expected = torch.cat(expected, -1)
    torch.testing.assert_close(weighted[[0, 2]], (expected * gamma[..., None])[[0, 2]])


def test_cten_terms_are_thirds_of_cross_entropies() -> None:
    head, features, present = make('cten'), features_for('cten'), present_for(audio=[1])
    labels = torch.tensor([0, 1, 2])
    kept = split_segments(head.weighted(features, present)[1])
    losses = list(head.loss(features, labels, present).values())
    for loss, is_kept in zip(losses, (None, kept.context, kept.key), strict=True):
        visual = features['visual']
        if is_kept is not None:
            videos = []
            for b in range(3):
                rows = visual[b][is_kept[b]]
                videos.append(torch.stack([rows[t * len(rows) // S] for t in range(S)]))
            visual = torch.stack(videos)
        logits = head(features | dict(visual=visual), present)['fused']
        torch.testing.assert_close(loss, nn.functional.cross_entropy(logits, labels) / 3)


@torch.no_grad()
@pytest.mark.parametrize('pool', ['max', 'mean'])
def test_language_pools_segments_with_words(pool: str) -> None:
    head = LanguageHead(in_channels=D, polarity=POLARITY, pool=pool)
    features = make_features(text_dims=D)
    features['text_is_valid'][2] = False
    got = head(features)['text']
    for b in range(2):
        rows = features['text'][b][features['text_is_valid'][b]]
        pooled = rows.amax(0) if pool == 'max' else rows.mean(0)
        torch.testing.assert_close(got[b], head.classifiers['text'](pooled))
    assert torch.isfinite(got).all()
    by_segment = head.segment_logits(features)['text']
    assert torch.equal(by_segment.abs().sum(-1) > 0, features['text_is_valid'])


def test_language_head_needs_text() -> None:
    from mart_mm.models.backbones.mbt_language import LanguageOutput

    tokens = torch.zeros(4, 2, D)
    output = LanguageOutput(tokens, tokens, tokens[:, 0], tokens[:, 0], (1, 1, 2), (1, 2))
    with pytest.raises(ValueError, match='LanguageDataPreprocessor'):
        LanguageHead.segment_features(output, 4)
