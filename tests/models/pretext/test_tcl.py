from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from mart_mm.models.layers.identity import identities
from mart_mm.models.losses.tcl import MaskedWords
from mart_mm.models.pretext import tcl, tcl_queue
from mart_mm.models.pretext.tcl import TCL
from mart_mm.models.pretext.tcl_pairs import encode_pairs
from mart_mm.models.pretext.tcl_queue import PairFeatures, PairQueue
from mart_mm.models.recognizers.affective import AffectiveRecognizer, TrainingStage

TEXT = dict(
    type='FusionBert',
    embed_dims=16,
    depth=2,
    num_heads=2,
    fusion_layer=1,
    vocab_size=100,
    dropout=0.0,
)
LINES = ('so happy today', 'what a gloomy, rainy afternoon', 'run! run!', 'we miss them so')


def build(helpers: object, **options: object) -> AffectiveRecognizer:
    return helpers.recognizer(dict(type='TCL', text=TEXT, dims=8, queue_size=6) | options)


def batches(
    helpers: object, lines: tuple[str, ...] = LINES, seed: int = 0, **options: object
) -> dict:
    """Videos that say these lines, in two views; no sample has a label."""
    batch = helpers.batch(len(lines), seed=seed, **options)
    other = helpers.batch(len(lines), seed=seed + 100)
    batch['inputs']['second'] = {key: other['inputs'][key] for key in ('imgs', 'audios')}
    for number, (sample, line) in enumerate(zip(batch['data_samples'], lines, strict=True)):
        words = line.split()
        sample.texts = [' '.join(words[:1]), '', ' '.join(words[1:])]
        sample.set_metainfo(dict(video_id=f'{seed}/{number}'))
        del sample.gt_emotion
    batch['inputs']['present']['text'] = torch.tensor([bool(line) for line in lines])
    return batch


def losses_of(model: AffectiveRecognizer, batch: dict) -> dict[str, Tensor]:
    return model(**model.data_preprocessor(batch, True), mode='loss')


def test_every_trained_parameter_learns_and_keys_do_not(helpers: object) -> None:
    """No label is read: the samples have none."""
    model = build(helpers)
    losses = losses_of(model, batches(helpers, audio=(True, False, True, True)))
    names = ('cma', 'imc', 'lmi', 'itm', 'mlm')
    assert set(losses) == {f'loss_{name}' for name in names}
    torch.manual_seed(1)
    losses = losses_of(model, batches(helpers, seed=1))  # the first one had no queue
    sum(losses.values()).backward()
    for name, parameter in model.named_parameters():
        if '.key_' in name:
            assert parameter.grad is None and not parameter.requires_grad
        elif name.startswith('head.'):
            assert parameter.grad is None
        else:
            assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def expected_contrasts(own: object, keys: object, past: list, counts: list, share: float) -> dict:
    """The three contrasts by loops over samples; ``past`` holds (video, text, has words, name)."""
    temperature = 0.07
    batch = [(keys.video[i], keys.text[i], counts[i] > 0, f'1/{i}') for i in range(len(counts))]

    def similar(a: Tensor, b: Tensor) -> float:
        return math.exp(float((a * b).sum()) / temperature)

    def contrast(i: int, query: Tensor, slow: Tensor, kind: int, text: bool, soft: float) -> float:
        rivals = [e for e in batch + past if e[3] != batch[i][3] and (e[2] or not text)]
        scores = [similar(query, e[kind]) for e in [batch[i], *rivals]]
        wanted = [similar(slow, e[kind]) for e in [batch[i], *rivals]]
        wanted = [soft * w / sum(wanted) for w in wanted]
        wanted[0] += 1 - soft
        return -sum(w * math.log(s / sum(scores)) for w, s in zip(wanted, scores, strict=True))

    def local(i: int, query: Tensor, parts: Tensor, lengths: list) -> float:
        rivals = sum(
            similar(query, parts[j, p])
            for j in range(len(batch))
            if j != i
            for p in range(lengths[j])
        )
        own_scores = [similar(query, parts[i, p]) for p in range(lengths[i])]
        return sum(-math.log(s / (s + rivals)) for s in own_scores) / len(own_scores)

    def mean(values: list) -> float:
        return sum(values) / len(values)

    everyone = range(len(counts))
    worded = [i for i in everyone if counts[i]]
    words = [n + 1 if n else 0 for n in counts]  # and the token at the end
    segments = [keys.video_parts.shape[1]] * len(counts)
    return dict(
        loss_cma=(
            mean([contrast(i, own.video[i], keys.video[i], 1, True, share) for i in worded])
            + mean([contrast(i, own.text[i], keys.text[i], 0, True, share) for i in worded])
        )
        / 6,
        loss_imc=(
            mean([contrast(i, own.video[i], keys.video[i], 0, False, 0.0) for i in everyone])
            + mean([contrast(i, own.text[i], keys.text[i], 1, True, 0.0) for i in worded])
        )
        / 6,
        loss_lmi=(
            mean([local(i, own.video[i], keys.video_parts, segments) for i in everyone])
            + mean([local(i, own.text[i], keys.text_parts, words) for i in worded])
        )
        / 6,
    )


@pytest.mark.parametrize('epoch', [1, 2])
def test_contrasts_equal_loops(helpers: object, epoch: int) -> None:
    """With a queue of which two entries are the past of nobody here, and one video without words."""
    model = build(helpers).eval()
    pretext: TCL = model.pretext
    model.stage = TrainingStage('pretrain', epoch, 3)
    first = batches(helpers, ('far and wide', '', 'near'), seed=0)
    first['data_samples'][2].set_metainfo(dict(video_id='1/0'))  # met again below
    losses_of(model, first)
    queue = pretext.queue
    assert queue.is_filled.tolist() == [True] * 3 + [False] * 3
    past = [
        (queue.video[k].clone(), queue.text[k].clone(), k != 1, ['0/0', '0/1', '1/0'][k])
        for k in range(3)
    ]
    lines = ('happy happy day', '', 'rain', 'two words')
    batch = batches(helpers, lines, seed=1, audio=(True, True, False, True))
    inputs = model.data_preprocessor(batch, True)['inputs']
    tokens = pretext.text.tokenize(list(lines), torch.device('cpu'))
    modules = model.backbone, pretext.text, pretext.projectors  # the copies are equal still
    with torch.no_grad():
        own = encode_pairs(inputs, tokens, *modules)
        keys = encode_pairs(inputs | inputs['second'], tokens, *modules)
        got = losses_of(model, batch)
    assert tokens.is_word.sum(1).tolist() == [3, 0, 1, 2]
    expected = expected_contrasts(own, keys, past, [3, 0, 1, 2], 0.4 if epoch > 1 else 0.0)
    for name, value in expected.items():
        assert got[name].item() == pytest.approx(value, rel=1e-4), name


def test_features_of_a_video_are_means_of_what_exists(helpers: object) -> None:
    model = build(helpers).eval()
    batch = batches(helpers, audio=(True, False, True, True))
    inputs = model.data_preprocessor(batch, True)['inputs']
    tokens = model.pretext.text.tokenize(list(LINES), torch.device('cpu'))
    modules = model.backbone, model.pretext.text, model.pretext.projectors
    with torch.no_grad():
        encoded = encode_pairs(inputs, tokens, *modules)
        output = model.extract_feat(inputs)
    for b in range(4):
        rows = range(3 * b, 3 * b + 3)
        parts = [
            output.visual_embed[r]
            if b == 1
            else (output.visual_embed[r] + output.audio_embed[r]) / 2
            for r in rows
        ]
        video = model.pretext.projectors['video'](sum(parts) / 3)
        torch.testing.assert_close(encoded.video[b], video / video.norm())
        part = model.pretext.projectors['video'](parts[2])
        torch.testing.assert_close(encoded.video_parts[b, 2], part / part.norm())
        assert encoded.is_present[b].tolist() == [True] * 3 + [b != 1] * 3


def test_matching_has_one_right_and_two_wrong_pairs(helpers: object) -> None:
    """Of two videos with words each is the other's negative; the third one takes no part."""
    model = build(helpers).eval()
    pretext, lines = model.pretext, ('so happy', '', 'run! run!')
    batch = batches(helpers, lines)
    inputs = model.data_preprocessor(batch, True)['inputs']
    tokens = pretext.text.tokenize(list(lines), torch.device('cpu'))
    with torch.no_grad():
        got = losses_of(model, batch)['loss_itm']
        own = encode_pairs(inputs, tokens, model.backbone, pretext.text, pretext.projectors)
        total = 0.0
        for text, video in ((0, 0), (2, 2), (0, 2), (2, 0), (0, 2), (2, 0)):
            length = int(tokens.is_valid[text].sum())
            fused = pretext.text.fuse(
                own.states[text : text + 1, :length],
                torch.ones(1, length, dtype=torch.bool),
                own.segments[video : video + 1],
                torch.ones(1, 6, dtype=torch.bool),
            )
            no, yes = pretext.matcher(fused[0, 0]).tolist()
            right, wrong = (yes, no) if text == video else (no, yes)
            total += math.log(1 + math.exp(wrong - right))
    assert got.item() == pytest.approx(total / 6, rel=1e-4)


def test_words_are_guessed_from_the_own_view_of_the_video(
    helpers: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Text by text, without padding; the momentum encoder, another one here, says a part."""
    model = build(helpers).eval()
    pretext, lines = model.pretext, ('so happy today', '', 'run! run!')
    model.stage = TrainingStage('pretrain', 2, 3)
    tokens = pretext.text.tokenize(list(lines), torch.device('cpu'))
    places = [(0, 1), (0, 3), (2, 4)]
    is_masked = torch.zeros_like(tokens.is_word)
    is_masked[tuple(zip(*places, strict=True))] = True
    seen = torch.where(is_masked, 3, tokens.ids)
    monkeypatch.setattr(tcl, 'mask_words', lambda *_, **__: MaskedWords(seen, is_masked))
    losses_of(model, batches(helpers, lines, seed=3))  # the copies start equal
    for copy in (pretext.key_backbone, pretext.key_text):
        monkeypatch.setattr(copy, 'update', lambda *_: None)
        with torch.no_grad():
            for parameter in copy.parameters():
                parameter += 0.1 * torch.randn_like(parameter)
    batch = batches(helpers, lines)
    got = losses_of(model, batch)['loss_mlm']
    inputs = model.data_preprocessor(batch, True)['inputs']
    sides = (
        (model.backbone, pretext.text, inputs),
        (pretext.key_backbone.module, pretext.key_text.module, inputs | inputs['second']),
    )
    total = 0.0
    for row, column in places:
        length = int(tokens.is_valid[row].sum())
        chances = []
        for backbone, text, view in sides:
            with torch.no_grad():
                output = backbone(view['imgs'], view['audios'], present=view['present'])
                rows = slice(3 * row, 3 * row + 3)
                video = torch.cat([output.visual_embed[rows], output.audio_embed[rows]])[None]
                whole = torch.ones(1, length, dtype=torch.bool)
                states = text.read(seen[row : row + 1, :length], whole)
                states = text.fuse(states, whole, video, torch.ones(1, 6, dtype=torch.bool))
                chances.append(text.word_logits(states[0, column]).softmax(0))
        own, slow = chances
        total -= 0.6 * math.log(own[tokens.ids[row, column]]) + 0.4 * float(slow @ own.log())
    assert got.item() == pytest.approx(total / 3, rel=1e-4)


def test_videos_without_words_change_no_loss_of_texts(helpers: object) -> None:
    """Neither in their own batch nor later, as part of the queue."""
    results = []
    for seed in (0, 7):
        torch.manual_seed(0)
        model = build(helpers, mask_ratio=0.0).eval()
        found = []
        for step in (0, 1):
            batch = batches(helpers, ('so happy', '', 'run! run!', ''), seed=step)
            other = batches(helpers, LINES, seed=50 + seed)
            for row in (1, 3):
                for key in ('imgs', 'audios'):
                    batch['inputs'][key][row] = other['inputs'][key][row]
                    batch['inputs']['second'][key][row] = other['inputs']['second'][key][row]
            torch.manual_seed(2)
            found.append(losses_of(model, batch))
        results.append(found)
    for one, two in zip(*results, strict=True):
        for name in ('loss_cma', 'loss_itm'):
            assert one[name].item() == pytest.approx(two[name].item(), rel=1e-5) and one[name] > 0
        assert one['loss_imc'].item() != pytest.approx(two['loss_imc'].item(), rel=1e-3)


@pytest.mark.parametrize('lines', [('so happy', '', ''), ('', '', '')])
def test_fewer_than_two_videos_with_words(helpers: object, lines: tuple[str, ...]) -> None:
    """The contrast of videos goes on; no negatives of texts are made up."""
    model = build(helpers, mask_ratio=0.9)
    losses = losses_of(model, batches(helpers, lines))
    assert losses['loss_cma'] == 0 and losses['loss_itm'] == 0
    assert (losses['loss_mlm'] > 0) == bool(lines[0])
    assert losses['loss_imc'] > 0 and losses['loss_lmi'] > 0
    sum(losses.values()).backward()
    trained = [p for n, p in model.pretext.named_parameters() if p.requires_grad]
    assert all(p.grad is not None and p.grad.isfinite().all() for p in trained)
    assert model.pretext.matcher.weight.grad.abs().max() == 0


def test_it_learns_which_text_belongs_to_which_video(helpers: object) -> None:
    model = build(helpers, temperature=0.2, momentum=0.9, queue_size=0)
    optimiser = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], 3e-3)
    batch = batches(helpers)
    batch['inputs']['second'] = {key: batch['inputs'][key] for key in ('imgs', 'audios')}
    inputs = model.data_preprocessor(batch, True)
    history = []
    for _ in range(120):
        losses = model(**inputs, mode='loss')
        optimiser.zero_grad()
        sum(losses.values()).backward()
        optimiser.step()
        history.append({name: value.item() for name, value in losses.items()})
    last = {name: sum(h[name] for h in history[-10:]) / 10 for name in history[0]}
    assert last['loss_cma'] < 0.5 * 2 * math.log(4) / 6  # of chance among four videos
    assert last['loss_itm'] < 0.5 * (math.log(3) - 2 / 3 * math.log(2))  # of what 1 : 2 alone tells
    assert last['loss_mlm'] < 0.7 * math.log(100)
    assert 0.001 <= model.pretext.temperature.item() <= 0.5


def test_temperature_stays_in_its_range(helpers: object) -> None:
    model = build(helpers)
    for start, end in ((3.0, 0.5), (-1.0, 0.001)):
        torch.nn.init.constant_(model.pretext.temperature, start)
        losses_of(model, batches(helpers))
        assert model.pretext.temperature.item() == pytest.approx(end)


def test_batches_it_cannot_work_with_are_refused(helpers: object) -> None:
    model = build(helpers)
    with pytest.raises(ValueError, match='train_dataloader.batch_size to 2 or more'):
        losses_of(model, batches(helpers, LINES[:1]))
    with pytest.raises(ValueError, match='TwoViews'):
        losses_of(model, helpers.batch(2))
    for wrong in (dict(queue_size=-1), dict(soft_share=1.5), dict(mask_ratio=-0.1)):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            build(helpers, **wrong)


def pairs(*names: str, start: int = 0) -> PairFeatures:
    numbers = torch.arange(start, start + len(names)).float()[:, None].expand(-1, 2)
    has_words = torch.tensor([name != 'silent' for name in names])
    return PairFeatures(numbers, -numbers, has_words, identities(names, torch.device('cpu')))


def test_queue_is_a_ring_and_a_video_is_never_its_own_negative() -> None:
    queue = PairQueue(4, 2)
    _, is_other = queue.behind(pairs('a', 'b'))
    assert is_other.tolist() == [[False, True, False, False, False, False], [True] + [False] * 5]
    queue.push(pairs('a', 'b', 'silent'))
    every, is_other = queue.behind(pairs('b', 'c', start=9))
    assert every.video[:, 0].tolist() == [9, 10, 0, 1, 2, 0]
    assert every.has_words[:5].tolist() == [True, True, True, True, False]
    assert is_other.tolist() == [
        [False, True, True, False, True, False],
        [True, False, True, True, True, False],
    ]
    queue.push(pairs('d', 'e', 'f', start=20))
    assert queue.video[:, 0].tolist() == [21, 22, 2, 20]
    assert queue.text[:, 1].tolist() == [-21, -22, -2, -20]
    queue.push(pairs(*'ghijkl', start=30))  # longer than the ring: the last four stay
    assert sorted(queue.video[:, 0].tolist()) == [32, 33, 34, 35]
    assert int(queue.place) == 2


def test_queue_takes_the_batches_of_all_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcl_queue, 'all_gather', lambda value: [value, value + value])
    queue = PairQueue(6, 2)
    queue.push(pairs('a', 'b', start=1))
    assert queue.video[:, 0].tolist() == [1, 2, 2, 4, 0, 0]
    assert queue.is_filled.tolist() == [True] * 4 + [False] * 2
