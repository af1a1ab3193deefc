"""MART in one pass: what it remembers, and what it learns from it."""

import copy

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mart_mm.models.layers.identity import identities
from mart_mm.models.losses.distribution import distribution_kl
from mart_mm.models.pretext.remembered_affective import SCORES, renew

STREAMS = dict(visual=18, audio=16)


def build(helpers: object, **options: object) -> nn.Module:
    settings = dict(type='RememberedAffectivePretext', num_videos=5, num_segments=3)
    return helpers.recognizer(helpers.pretext(**settings | options))


def run(model: nn.Module, batch: dict) -> dict[str, Tensor]:
    return model(**model.data_preprocessor(batch, True), mode='loss')


def kept(model: nn.Module, *names: str) -> tuple[dict[str, Tensor], Tensor]:
    return model.pretext.memory.read(identities(names, torch.device('cpu')))


def record_masks(model: nn.Module) -> list[dict]:
    """Every call of the backbone with its masks, from now on."""
    calls = []

    def note(module: nn.Module, args: tuple, kwargs: dict, output: object) -> None:
        calls.append(kwargs | dict(output=output))

    model.backbone.register_forward_hook(note, with_kwargs=True)
    return calls


def test_one_masked_pass_a_step(helpers: object) -> None:
    model = build(helpers)
    model.pretext.mask_progress = 0.5
    calls = record_masks(model)
    for visit in range(3):
        run(model, helpers.batch())
        assert len(calls) == visit + 1
        assert calls[-1]['visual_is_masked'].sum(1).tolist() == [9] * 6
        assert calls[-1]['output'].visual_tokens.shape[1] == 9
        assert calls[-1]['output'].audio_tokens.shape[1] == 8


def test_first_visit_masks_at_random_and_has_no_distribution_to_recover(helpers: object) -> None:
    model = build(helpers)
    calls = record_masks(model)
    batch = helpers.batch(num_videos=2)
    first = run(model, batch)
    assert first['remembered'] == 0
    assert first['loss_kl_visual'] == first['loss_kl_audio'] == 0
    assert first['loss_patch_visual'] > 0 and first['loss_cls_visual'] > 0

    second = build(helpers)
    second.load_state_dict(model.state_dict())
    second.pretext.memory.is_filled.zero_()
    other_calls = record_masks(second)
    torch.manual_seed(7)
    run(second, batch)
    one, other = calls[0]['visual_is_masked'], other_calls[0]['visual_is_masked']
    assert torch.equal(one.sum(1), other.sum(1))
    assert not torch.equal(one, other)


def test_unknown_videos_take_no_part_in_the_distribution_only(helpers: object) -> None:
    """The KL over a known and a new video is the mean over the known one's segments."""
    model = build(helpers)
    batch = helpers.batch(num_videos=2)
    run(model, batch)
    scores = kept(model, 'v0')[0][SCORES][0]
    batch['data_samples'][1].set_metainfo(dict(video_id='new'))
    noted = {}
    target = model.pretext.branches['visual'].targets[1]
    target.head.register_forward_hook(lambda module, args, out: noted.update(out=out))
    losses = run(model, batch)
    assert losses['remembered'] == 0.5
    log_q = noted['out'].float().log_softmax(-1)[:3]
    expected = distribution_kl(scores.softmax(-1), log_q).mean()
    torch.testing.assert_close(losses['loss_kl_visual'], expected)


def test_masks_by_what_is_remembered(helpers: object) -> None:
    model = build(helpers)
    run(model, helpers.batch(num_videos=1))
    table = model.pretext.memory.visual_values
    table.fill_(1.0)
    table[0, :, 5:9] = torch.tensor([5.0, 4.0, 3.0, 2.0])
    calls = record_masks(model)
    model.pretext.mask_progress = 0.1  # r = .18: ceil(3.24) = 4 of 18 masked, none revealed
    run(model, helpers.batch(num_videos=1))
    for row in calls[0]['visual_is_masked']:
        assert row.nonzero().flatten().tolist() == [5, 6, 7, 8]


def test_verifies_by_what_is_remembered(helpers: object, monkeypatch: pytest.MonkeyPatch) -> None:
    model = build(helpers, verify_level=3)
    run(model, helpers.batch())
    remembered = kept(model, 'v0', 'v1')[0][SCORES].softmax(-1)
    seen = []
    forward = model.pretext.verifier.forward
    monkeypatch.setattr(
        model.pretext.verifier, 'forward', lambda *a: (seen.append(a[0]), forward(*a))[1]
    )
    run(model, helpers.batch())
    torch.testing.assert_close(seen[0], remembered)


def test_relevance_equals_a_plain_loop() -> None:
    rng = np.random.default_rng(0)
    old, is_masked = 2 * rng.random((6, 18), dtype=np.float32), np.zeros((6, 18), dtype=bool)
    for row in is_masked:
        row[rng.permutation(18)[:7]] = True
    seen = rng.random((6, 11), dtype=np.float32)
    expected = np.empty_like(old)
    for row in range(6):
        place, mean = 0, sum(seen[row]) / 11
        for token in range(18):
            if is_masked[row, token]:
                expected[row, token] = 1 + 0.25 * (old[row, token] - 1)
            else:
                expected[row, token] = seen[row, place] / mean
                place += 1
    found = renew(*map(torch.from_numpy, (old, seen, is_masked)), 0.25)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5)


def test_visits_equal_a_dict_of_arrays(helpers: object) -> None:
    """Over several steps the table holds what a loop over videos would keep."""
    model = build(helpers, retention=0.25).eval()
    model.pretext.mask_progress = 0.5
    calls, plain = record_masks(model), {}
    for step, names in enumerate((['a', 'b'], ['b', 'c'], ['c', 'a'], ['a', 'b'])):
        batch = helpers.batch(seed=step)
        for sample, name in zip(batch['data_samples'], names, strict=True):
            sample.set_metainfo(dict(video_id=name))
        batch['inputs']['cues']['valid'][:] = (
            False  # relevance is the class token's attention alone
        )
        run(model, batch)
        call = calls[-1]
        for index, name in enumerate(names):
            for stream, count in STREAMS.items():
                old = plain.get((name, stream), np.ones((3, count)))
                part = slice(3 * index, 3 * index + 3)
                is_masked = call[f'{stream}_is_masked'][part].numpy()
                attention = getattr(call['output'], f'{stream}_attention')[part].detach().numpy()
                new = 1 + 0.25 * (old - 1)
                for segment in range(3):
                    visible = attention[segment]
                    new[segment, ~is_masked[segment]] = visible / visible.mean()
                plain[name, stream] = new
    values, is_known = kept(model, 'a', 'b', 'c')
    assert is_known.all()
    for index, name in enumerate('abc'):
        for stream in STREAMS:
            np.testing.assert_allclose(values[stream][index], plain[name, stream], rtol=1e-4)


def test_resumed_run_takes_the_same_step(helpers: object) -> None:
    model, again = build(helpers), build(helpers)
    run(model, helpers.batch(seed=0))
    again.load_state_dict(copy.deepcopy(model.state_dict()))
    found = []
    for each in (model, again):
        each.zero_grad()
        torch.manual_seed(3)
        losses = run(each, helpers.batch(seed=1))
        each.parse_losses(losses)[0].backward()
        found.append((losses, [p.grad for p in each.parameters()], each.state_dict()))
    (one, one_grads, one_state), (other, other_grads, other_state) = found
    assert one['remembered'] == 1
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert all(torch.equal(a, b) for a, b in zip(one_grads, other_grads, strict=True))
    assert all(torch.equal(one_state[key], other_state[key]) for key in one_state)


def test_every_parameter_learns(helpers: object) -> None:
    model = build(helpers)
    for _ in range(2):  # at the first visit the distribution's heads get zeros
        model.zero_grad()
        model.parse_losses(run(model, helpers.batch()))[0].backward()
        assert all(p.grad is not None for p in model.parameters())
    for name, parameter in model.named_parameters():
        assert parameter.grad.abs().sum() > 0, name


def test_reads_no_label_without_classification_loss(helpers: object) -> None:
    model = build(helpers, with_cls_loss=False, verify_level=0)
    batch = helpers.batch()
    for sample in batch['data_samples']:
        del sample.gt_emotion
    for _ in range(2):
        assert not [name for name in run(model, batch) if 'cls' in name]


def test_a_stream_may_stay_unmasked(helpers: object) -> None:
    model = build(helpers, audio=None)
    losses = [run(model, helpers.batch()) for _ in range(2)][1]
    assert 'loss_patch_audio' not in losses and losses['loss_patch_visual'] > 0
    assert model.pretext.memory.names == ('visual', SCORES)


def test_refuses_what_one_pass_cannot_do(helpers: object) -> None:
    tubelets = helpers.pretext()
    tubelets['visual']['targets'][1]['granularity'] = 'tubelet'
    with pytest.raises(ValueError, match='tubelet'):
        build(helpers, visual=tubelets['visual'])
    with pytest.raises(ValueError, match='retention'):
        build(helpers, retention=1.5)
    with pytest.raises(TypeError, match='mask_stage'):
        build(helpers, mask_stage='decoder')
    with pytest.raises(ValueError, match='num_segments=3'):
        run(build(helpers), helpers.batch(num_segments=2))
