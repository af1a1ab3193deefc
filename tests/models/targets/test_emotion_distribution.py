import itertools

import pytest
import torch
from torch import Tensor

from mart_mm.models.backbones.base import StreamSpec
from mart_mm.models.decoders.base import DecodedTokens
from mart_mm.models.targets.base import RecoveryContext, RecoverySpec
from mart_mm.models.targets.emotion_distribution import EmotionDistributionTarget
from mart_mm.models.targets.step_scores import step_scores
from mart_mm.models.targets.time_steps import step_means, step_of_token

STREAM = StreamSpec((6, 16, 16), (3, 2, 2), (2, 8, 8), (2, 8, 8))
VIDEOS, SEGMENTS, STEPS, CLASSES = 2, 4, 3, 5


def build(**kwargs: object) -> EmotionDistributionTarget:
    return EmotionDistributionTarget(RecoverySpec(STREAM, 10, CLASSES), **kwargs)


def make_context() -> RecoveryContext:
    is_masked = torch.rand(8, 12) < 0.2
    is_masked[1] = False  # a segment of which nothing is hidden
    is_present = torch.tensor([True] * 4 + [False] * 4)
    return RecoveryContext(
        is_masked,
        is_present,
        torch.randn(VIDEOS, SEGMENTS, CLASSES),
        torch.randn(VIDEOS, SEGMENTS, STEPS, CLASSES),
    )


def softmax(x: Tensor) -> Tensor:
    return x.exp() / x.exp().sum()


OPTIONS = itertools.product(('segment', 'tubelet'), ('class', 'time'), (False, True), (1.0, 0.4))


@pytest.mark.parametrize(('granularity', 'axis', 'reverse', 'temperature'), list(OPTIONS))
def test_equals_a_plain_loop(
    granularity: str, axis: str, reverse: bool, temperature: float
) -> None:
    target = build(
        granularity=granularity,
        axis=axis,
        reverse=reverse,
        temperature=temperature,
        loss_weight=2.0,
    )
    features, context = torch.randn(8, 12, 10), make_context()
    # of the video that has the stream: each stretch's target scores, predicted scores, masked?
    truth, said, counts = [], [], []
    for segment in range(SEGMENTS):
        for step in range(STEPS if granularity == 'tubelet' else 1):
            tokens = slice(4 * step, 4 * step + 4) if granularity == 'tubelet' else slice(12)
            scores = context.step_scores[0, segment, step]
            truth.append(scores if granularity == 'tubelet' else context.scores[0, segment])
            said.append(target.head(features[segment, tokens].mean(0)))
            counts.append(bool(context.is_masked[segment, tokens].any()))
    truth, said = torch.stack(truth) / temperature, torch.stack(said)
    if axis == 'time':
        truth, said, counts = truth.T, said.T, [True] * CLASSES
    assert axis == 'time' or not all(counts)
    values = []
    for p, q, is_counted in zip(truth, said, counts, strict=True):
        p, q = softmax(p), softmax(q)
        p, q = (q, p) if reverse else (p, q)
        if is_counted:
            values.append((p * (p / q).log()).sum())
    expected = 2 * torch.stack(values).mean()
    got = target.loss(DecodedTokens(features), {}, context)['loss_kl']
    torch.testing.assert_close(got, expected, atol=1e-5, rtol=1e-4)
    order = torch.rand(8, 12).argsort(1)
    shuffled = features.gather(1, order[..., None].expand(-1, -1, 10))
    again = target.loss(DecodedTokens(shuffled, order, 3), {}, context)['loss_kl']
    torch.testing.assert_close(again, expected, atol=1e-5, rtol=1e-4)


def test_target_sums_to_one_along_its_axis() -> None:
    context = make_context()
    by_class = build().target({}, context)
    torch.testing.assert_close(by_class, context.scores.softmax(-1))
    over_time = build(axis='time', granularity='tubelet').target({}, context)
    assert over_time.shape == (VIDEOS, SEGMENTS * STEPS, CLASSES)
    torch.testing.assert_close(over_time.sum(1), torch.ones(VIDEOS, CLASSES))


def test_the_two_divergences_differ_and_vanish_together() -> None:
    context, features = make_context(), torch.randn(8, 12, 10)
    context = context._replace(is_masked=torch.ones(8, 12).bool(), is_present=torch.ones(8).bool())
    one, other = build(), build(reverse=True)
    other.load_state_dict(one.state_dict())
    decoded = DecodedTokens(features)
    assert not torch.isclose(
        one.loss(decoded, {}, context)['loss_kl'], other.loss(decoded, {}, context)['loss_kl']
    )
    same = context._replace(scores=one.predict(decoded).view(VIDEOS, SEGMENTS, CLASSES))
    for target in (one, other):
        assert target.loss(decoded, {}, same)['loss_kl'].abs() < 1e-6


def test_time_steps_of_grids() -> None:
    visual = step_of_token((2, 2, 1))
    assert visual.argmax(1).tolist() == [0, 0, 1, 1]
    sound = step_of_token((2, 3))  # (frequency, time)
    assert sound.argmax(1).tolist() == [0, 1, 2, 0, 1, 2]
    tokens = torch.randn(4, 6, 7)
    means = step_means(tokens, (2, 3), 3)
    torch.testing.assert_close(means[:, 1], (tokens[:, 1] + tokens[:, 4]) / 2)
    torch.testing.assert_close(step_means(tokens, (2, 3), 1)[:, 0], tokens.mean(1))
    with pytest.raises(ValueError, match=r'\(8,\) has no axis of time'):
        step_of_token((8,))


def test_step_scores_are_eq_3_over_tubelets(helpers: object) -> None:
    model = helpers.recognizer(pool='max').eval()
    inputs = model.data_preprocessor(helpers.batch(audio=(True, False)))['inputs']
    output = model.extract_feat(inputs)
    with torch.no_grad():
        got = step_scores(model, output, inputs['present'], 2)
    assert got.shape == (2, 3, 2, 6)
    visual = output.visual_tokens.reshape(2, 3 * 2, 9, 32).mean(2)  # grid (2, 3, 3)
    sound = output.audio_tokens.reshape(2, 3, 8, 2, 32).mean(2).flatten(1, 2)  # grid (8, 2)
    for video in range(2):
        expected = torch.zeros(6, 6)
        for name, z in (('visual', visual[video]), ('audio', sound[video])):
            if name == 'audio' and video == 1:
                continue
            fc = model.head.classifiers[name]
            expected = expected + fc(z.amax(0)).softmax(-1) * fc(z)
        torch.testing.assert_close(got[video].flatten(0, 1), expected)


@pytest.mark.parametrize('axis', ['class', 'time'])
def test_every_parameter_learns_with_tubelets(helpers: object, axis: str) -> None:
    pretext = helpers.pretext()
    for name in ('visual', 'audio'):
        kl = dict(type='EmotionDistributionTarget', granularity='tubelet', axis=axis)
        pretext[name]['targets'] = [kl]
    model = helpers.recognizer(pretext)
    model.head.classifiers['visual'].weight.data.normal_()
    data = model.data_preprocessor(helpers.batch())
    losses = model(**data, mode='loss')
    assert losses['loss_kl_visual'] > 0 and losses['loss_kl_audio'] > 0
    model.parse_losses(losses)[0].backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.pretext.parameters())


def test_bad_arguments() -> None:
    for key, value in (('granularity', 'frame'), ('axis', 'segment'), ('temperature', 0)):
        with pytest.raises(ValueError, match=key):
            build(**{key: value})
    with pytest.raises(ValueError, match='unmasked pass'):
        context = RecoveryContext(torch.ones(8, 12).bool(), torch.ones(8).bool())
        build().target({}, context)
