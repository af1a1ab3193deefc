"""Names to configs and weights."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mart_mm.zoo import index, weights
from mart_mm.zoo.configs import UnknownConfigError, find_config, resolve_config
from mart_mm.zoo.index import ModelEntry, read_index
from mart_mm.zoo.weights import NoWeightsError, find_weights

ROOT = Path(__file__).resolve().parents[2]
PLANTED = ROOT / 'configs' / 'mart' / 'mart_mbt_planted.py'


@pytest.mark.parametrize(
    'name',
    [
        str(PLANTED),
        'configs/mart/mart_mbt_planted.py',
        'mart/mart_mbt_planted.py',
        'mart/mart_mbt_planted',
        'mart_mm::mart/mart_mbt_planted.py',
        'mart_mbt_planted',
        'mart-mbt-planted',
        'MART-MBT-Planted',
    ],
)
def test_names_of_a_config(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert resolve_config(name) == PLANTED


def test_a_file_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    own = tmp_path / 'mart' / 'mart_mbt_planted.py'
    own.parent.mkdir()
    own.touch()
    assert resolve_config('mart/mart_mbt_planted.py').resolve() == own


def test_unknown_config_is_answered_with_the_nearest() -> None:
    assert find_config('mart/mart_mbt_ekman7.py') is None
    with pytest.raises(UnknownConfigError, match=r"did you mean 'mart/mart_mbt_ekman6'"):
        resolve_config('mart/mart_mbt_ekman7.py')


def test_every_name_means_one_model() -> None:
    names = [name.lower() for entry in read_index() for name in (entry.name, *entry.aliases)]
    assert len(names) > 200 and len(set(names)) == len(names)


def test_last_checkpoint_of_the_demo_is_taken(tmp_path: Path) -> None:
    for name in ('epoch_9.pth', 'epoch_10.pth', 'pretrained.pth', 'best_affect_epoch_99.pth'):
        (tmp_path / 'mart').mkdir(exist_ok=True)
        (tmp_path / 'mart' / name).touch()
    expected = str(tmp_path / 'mart' / 'epoch_10.pth')
    assert find_weights('mart-mbt-planted', demo=tmp_path) == expected
    assert find_weights(str(PLANTED), demo=tmp_path) == expected
    with pytest.raises(NoWeightsError, match=re.escape(str(tmp_path))):
        find_weights('mbt_planted', demo=tmp_path)


def test_a_checkpoint_of_the_users_is_taken(tmp_path: Path) -> None:
    own = tmp_path / 'own.pth'
    own.touch()
    assert find_weights('mart_mbt_planted', own) == str(own)
    assert find_weights('mart_mbt_planted', 'https://x.org/a.pth') == 'https://x.org/a.pth'


def test_model_without_weights_says_how_to_get_some() -> None:
    with pytest.raises(NoWeightsError, match='train it.*mart-mm train mart_mbt_ekman6'):
        find_weights('mart_mbt_ekman6')


def test_published_weights_come_before_those_of_a_demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = ModelEntry('mart_mbt_planted', (), 'MART', PLANTED, 'x', 'https://x.org/published.pth')
    monkeypatch.setattr(weights, 'find_model', lambda name: entry)
    (tmp_path / 'mart').mkdir()
    (tmp_path / 'mart' / 'epoch_1.pth').touch()
    assert find_weights('mart_mbt_planted', demo=tmp_path) == 'https://x.org/published.pth'


def test_incomplete_installation_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, '_PACKAGE', tmp_path / 'mart_mm')
    with pytest.raises(FileNotFoundError, match='installation of mart-mm is incomplete'):
        index.index_folder()
