import pytest
import torch
from mmengine.optim import OptimWrapper

from mart_mm.engine.hooks.stage_switch import StageSwitchHook
from mart_mm.engine.hooks.verification_warmup import VerificationWarmupHook
from mart_mm.errors import NonFiniteLossError
from mart_mm.models.recognizers.step import take_step


def test_non_finite_loss_stops_before_the_step_and_names_the_loss(helpers: object) -> None:
    model = helpers.recognizer()
    scale = torch.nn.Parameter(torch.ones(()))
    wrapper = OptimWrapper(torch.optim.SGD([scale], lr=1.0))
    losses = dict(loss_cls_visual=1.5 * scale, loss_kl_audio=float('nan') * scale)
    with pytest.raises(NonFiniteLossError, match='loss_cls_visual=1.5, loss_kl_audio=nan'):
        take_step(*model.parse_losses(losses), wrapper)
    assert scale == 1
    values = take_step(*model.parse_losses(dict(loss_cls_visual=1.5 * scale)), wrapper)
    assert values == dict(loss=1.5, loss_cls_visual=1.5)


def test_prediction_sums_the_streams_present(helpers: object) -> None:
    model = helpers.recognizer().eval()
    batch = helpers.batch(audio=(True, False))
    samples = model.val_step(batch)
    data = model.data_preprocessor(batch)
    features = model.head.segment_features(model.extract_feat(data['inputs']), 3)
    logits = {
        name: model.head.classifiers[name](features[name].amax(1)) for name in ('visual', 'audio')
    }
    torch.testing.assert_close(
        samples[0].pred_scores, (logits['visual'] + logits['audio'])[0].softmax(-1)
    )
    torch.testing.assert_close(samples[1].pred_scores, logits['visual'][1].softmax(-1))
    assert samples[0].pred_sentiment == helpers.polarity[samples[0].pred_emotion]
    assert samples[0].temporal_scores.sum(-1).allclose(torch.ones(3))


def test_cues_get_their_level(helpers: object) -> None:
    model = helpers.recognizer(helpers.pretext()).eval()
    batch = helpers.batch()
    data = model.data_preprocessor(batch)
    expected = model.pretext.view(model, data['inputs']).levels
    samples = model.val_step(batch)
    for b, sample in enumerate(samples):
        for s, cues in enumerate(sample.cues):
            assert [cue['level'] for cue in cues] == expected[b, s, : len(cues)].tolist()


def test_supervised_and_finetuning_losses_are_the_same(helpers: object) -> None:
    """The second stage is the supervised baseline from other weights."""
    model = helpers.recognizer(helpers.pretext()).eval()
    plain = helpers.recognizer().eval()
    plain.load_state_dict(model.state_dict(), strict=False)
    model.stage = StageSwitchHook(pretrain_epochs=2).stage_at(2, 5)
    assert model.stage == ('finetune', 1, 3)
    outputs = [m(**m.data_preprocessor(helpers.batch(), True), mode='loss') for m in (model, plain)]
    assert outputs[0].keys() == outputs[1].keys() == {'loss_cls_visual', 'loss_cls_audio'}
    for name in outputs[0]:
        torch.testing.assert_close(outputs[0][name], outputs[1][name])


def test_stage_and_progress_follow_from_the_epoch() -> None:
    hook = StageSwitchHook(pretrain_epochs=100)
    stages = [hook.stage_at(epoch, 250) for epoch in (0, 99, 100, 249)]
    assert [stage.name for stage in stages] == ['pretrain', 'pretrain', 'finetune', 'finetune']
    assert [stage.progress for stage in stages] == [0.01, 1.0, 1 / 150, 1.0]


def test_warmup_caps_the_level(helpers: object) -> None:
    class Hub:
        @staticmethod
        def update_scalar(*_: object) -> None:
            pass

    class Runner:
        model = helpers.recognizer(helpers.pretext(verify_level=3))
        message_hub = Hub
        iter = epoch = 0
        train_dataloader = ()

    hook, switch = VerificationWarmupHook(warmup=0.1), StageSwitchHook(pretrain_epochs=25)
    levels = []
    for epoch in range(6):
        Runner.model.stage = switch.stage_at(epoch, 30)
        hook.before_train_epoch(Runner)
        levels.append(Runner.model.pretext.verify_level)
    assert levels == [1, 1, 1, 3, 3, 3]  # ceil(2.5) epochs


def test_unknown_mode_is_refused(helpers: object) -> None:
    with pytest.raises(ValueError, match="mode='train'"):
        helpers.recognizer()({}, None, mode='train')
