import math

import pytest
import torch
from torch.nn import functional as F

from mart_mm.models.losses.distribution import distribution_kl
from mart_mm.models.losses.pcce import polarity_consistent_cross_entropy
from mart_mm.models.losses.reduce import global_mean
from mart_mm.models.losses.tacl import cpc_loss, tacl_loss


def dot(a: torch.Tensor, b: torch.Tensor) -> float:
    """Cosine of two vectors, by hand."""
    norm = math.sqrt(sum(x * x for x in a.tolist())) * math.sqrt(sum(x * x for x in b.tolist()))
    return sum(x * y for x, y in zip(a.tolist(), b.tolist(), strict=True)) / norm


@pytest.mark.parametrize('across', [False, True])
def test_tacl_equals_plain_loops(across: bool) -> None:
    B, S, K, D, tau = 2, 3, 2, 5, 0.1  # noqa: N806
    f, w, o = (torch.randn(B, S, K, D) for _ in range(3))
    valid = torch.rand(B, S, K) < 0.7
    valid[0, 0] = True
    present = torch.tensor([True, True])
    got = tacl_loss(f, w, o, valid, temperature=tau, others_present=present, across_videos=across)
    for b in range(B):
        for k in range(S):
            for t in range(K):
                positive = math.exp(dot(f[b, k, t], w[b, k, t]) / tau)
                negative = 0.0
                for b2 in range(B):
                    if b2 != b and not across:
                        continue
                    for k2 in range(S):
                        if b2 == b and k2 == k:
                            continue  # i not in T^k
                        for i in range(K):
                            if valid[b2, k2, i]:
                                negative += math.exp(dot(f[b, k, t], o[b2, k2, i]) / tau)
                expected = -math.log(positive / (positive + negative))
                assert got[b, k, t].item() == pytest.approx(expected, abs=1e-4)


def test_tacl_of_one_positive_and_one_negative() -> None:
    """log(1 + exp((n - p) / tau)), with p = 0.7, n = 0.2, tau = 0.1."""
    feature = torch.tensor([1.0, 0.0, 0.0])
    word = torch.tensor([0.7, math.sqrt(1 - 0.49), 0.0])
    other = torch.tensor([0.2, math.sqrt(1 - 0.04), 0.0])
    f = torch.stack([feature, feature])[None, :, None]
    w = torch.stack([word, word])[None, :, None]
    o = torch.stack([other, other])[None, :, None].requires_grad_()
    w.requires_grad_()
    loss = tacl_loss(f, w, o, torch.ones(1, 2, 1, dtype=torch.bool), temperature=0.1)
    assert loss[0, 0, 0].item() == pytest.approx(
        math.log(1 + math.exp((0.2 - 0.7) / 0.1)), abs=1e-5
    )
    loss.sum().backward()
    # a step against the gradient raises the positive's dot product and lowers the negative's
    assert -(w.grad[0, 0, 0] @ feature) > 0
    assert -(o.grad[0, 0, 0] @ feature) < 0


def test_tacl_ignores_an_absent_modality() -> None:
    f, w, o = (torch.randn(2, 3, 2, 4) for _ in range(3))
    valid = torch.ones(2, 3, 2, dtype=torch.bool)
    got = tacl_loss(f, w, o, valid, temperature=0.1, others_present=torch.tensor([True, False]))
    assert torch.allclose(got[1], torch.zeros(3, 2), atol=1e-5)
    assert (got[0] > 1e-3).all()


def test_cpc_equals_cross_entropy_over_valid_rows() -> None:
    p, t = torch.randn(6, 4), torch.randn(6, 4)
    valid = torch.tensor([True, True, False, True, True, False])
    rows = valid.nonzero().flatten()
    scores = F.normalize(p[rows], dim=1) @ F.normalize(t[rows], dim=1).T
    expected = F.cross_entropy(scores, torch.arange(4), reduction='none')
    torch.testing.assert_close(cpc_loss(p, t, valid)[rows], expected)


def test_pcce_weighs_wrong_polarity() -> None:
    polarity = torch.tensor([-1, -1, 1])
    logits = torch.tensor([[2.0, 1.0, 0.0], [2.0, 1.0, 0.0], [2.0, 1.0, 0.0]])
    labels = torch.tensor([0, 1, 2])
    ce = [-(logits[i, label] - logits[i].logsumexp(0)).item() for i, label in enumerate(labels)]
    expected = torch.tensor([ce[0], ce[1], 1.5 * ce[2]])
    got = polarity_consistent_cross_entropy(logits, labels, polarity, 0.5)
    torch.testing.assert_close(got, expected)


def test_kl_of_equal_distributions_is_zero_and_equals_torch() -> None:
    p, q = torch.rand(4, 6).softmax(-1), torch.rand(4, 6).softmax(-1)
    torch.testing.assert_close(distribution_kl(p, p.log()), torch.zeros(4), atol=1e-6, rtol=0)
    expected = torch.distributions.kl_divergence(
        torch.distributions.Categorical(p), torch.distributions.Categorical(q)
    )
    torch.testing.assert_close(distribution_kl(p, q.log()), expected)
    one_hot = torch.tensor([1.0, 0.0])
    assert distribution_kl(one_hot, torch.tensor([0.5, 0.5]).log()).item() == pytest.approx(
        math.log(2)
    )


def test_global_mean() -> None:
    values = torch.tensor([1.0, float('inf'), 3.0], requires_grad=True)
    valid = torch.tensor([True, False, True])
    mean = global_mean(values, valid)
    assert mean.item() == 2.0
    mean.backward()
    assert values.grad.tolist() == [0.5, 0.0, 0.5]
    assert global_mean(torch.ones(3), torch.zeros(3, dtype=torch.bool)).item() == 0
