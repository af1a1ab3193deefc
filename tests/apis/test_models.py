"""Models by name."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from mart_mm.apis import get_model, list_models
from mart_mm.zoo.configs import UnknownConfigError
from mart_mm.zoo.weights import NoWeightsError


def test_names_and_aliases_are_listed() -> None:
    names = list_models('mart_mm')
    assert {'mart_mbt_planted', 'mart-mbt-planted', 'tfn_ekman6'} <= set(names)
    assert list_models('mart_mm', 'mart-mbt-planted$') == ['mart-mbt-planted']


def test_model_by_name_with_weights_of_the_demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NoWeightsError, match='mart-mm demo'):
        get_model('mart-mbt-planted', pretrained=True)
    trained = get_model('mart-mbt-planted')
    assert not trained.training
    (tmp_path / 'demo_out' / 'mart').mkdir(parents=True)
    file = tmp_path / 'demo_out' / 'mart' / 'epoch_30.pth'
    torch.save(dict(state_dict=trained.state_dict()), file)
    for pretrained in (True, str(file)):
        again = get_model('mart_mbt_planted', pretrained=pretrained)
        state = again.state_dict()
        assert all(torch.equal(value, state[key]) for key, value in trained.state_dict().items())


def test_unknown_model_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownConfigError, match="did you mean 'mart_mbt_planted'"):
        get_model('mart_mbt_plantd')


def test_other_names_are_refused() -> None:
    import mart_mm.apis

    with pytest.raises(AttributeError, match='no_such'):
        mart_mm.apis.no_such  # noqa: B018
