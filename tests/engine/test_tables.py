"""Runs of the paper's tables: what they find, and that they are not run twice."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from mmengine.config import Config

from tools.analysis.flop_stages import count_config
from tools.analysis.paper_tables.cost import recipe, step_gflop
from tools.analysis.paper_tables.report import (
    comma_separated,
    markdown,
    metric_names,
    table_json,
)
from tools.analysis.paper_tables.rows import DATA, MART, TABLES, get_table
from tools.analysis.paper_tables.runs import RESULT, Run, RunFailedError, execute_all
from tools.analysis.paper_tables.statistics import paired_difference, summarise


def test_interval_of_five_values() -> None:
    values = [50.0, 52.0, 51.0, 55.0, 47.0]
    found = summarise(values)
    mean = sum(values) / 5
    std = math.sqrt(sum((v - mean) ** 2 for v in values) / 4)
    reach = (
        2.7764451 * std / math.sqrt(5)
    )  # Student's t, 4 degrees of freedom, from a printed table
    assert found['mean'] == pytest.approx(mean) and found['std'] == pytest.approx(std)
    assert found['ci95'] == pytest.approx([mean - reach, mean + reach], rel=1e-6)
    assert summarise([3.0]) == dict(mean=3.0, std=None, ci95=None, values=[3.0])
    for bad in ([], [math.nan]):
        with pytest.raises(ValueError, match='nothing to summarise'):
            summarise(bad)


def test_differences_are_taken_seed_by_seed() -> None:
    other, mart = {0: 40.0, 1: 60.0, 2: 80.0}, {1: 61.0, 2: 83.0, 3: 10.0}
    found = paired_difference(other, mart)
    assert found['mean'] == pytest.approx(-2.0)
    # differences -1 and -3: standard error 1, t = 12.7062 with one degree of freedom
    assert found['ci95'] == pytest.approx([-14.7062, 10.7062], abs=1e-3)
    assert paired_difference({0: 1.0}, {1: 1.0}) is None


def test_tables_are_the_papers() -> None:
    """Row counts, and the facts that Sec. 1 of the rows' specification rests on."""
    assert [len(TABLES[number].rows) for number in range(1, 6)] == [11, 9, 4, 5, 4]
    for number in range(1, 6):
        table = TABLES[number]
        for row in table.rows:
            assert row.paper.keys() <= set(DATA)
            columns = 7 if 'recall' in table.metrics else 4
            assert all(len(values) == columns for values in row.paper.values())
            for values in row.paper.values():
                assert all(35 < value < 80 for value in values)
    by_name = {row.name: row for row in TABLES[3].rows + TABLES[4].rows}
    assert by_name['Ver'].paper == by_name['Random 90'].paper
    for number in (3, 4, 5):
        (mart,) = (row for row in TABLES[number].rows if row.name == MART)
        assert mart.paper['ekman6'][-1] == 53.17
    with pytest.raises(ValueError, match='unknown table'):
        get_table(7)


def test_plug_ins_are_compared_with_the_same_network() -> None:
    rows = {row.name: row for row in TABLES[6].rows}
    for row in rows.values():
        assert row.reference in (row.name, f'{row.name} + MART', MART)
    root = Path(__file__).resolve().parents[2] / 'configs'
    for name in ('VAANet', 'SlowOnly-R18'):
        alone, taught = (
            Config.fromfile(root / rows[row].path('planted')) for row in (name, f'{name} + MART')
        )
        assert 'pretext' in taught.model and 'pretext' not in alone.model
        for part in ('backbone', 'head', 'data_preprocessor'):
            assert alone.model[part] == taught.model[part]
        assert alone.train_dataloader == taught.train_dataloader
    found = {'VAANet': results(-2), 'VAANet + MART': results(1), MART: results(5)}
    training = dict.fromkeys(found, {})
    content = table_json(TABLES[6], found, ['emotion_acc'], {}, training)
    assert content['rows'][0]['minus_mart']['emotion_acc']['mean'] == pytest.approx(-3)


def results(offset: float) -> dict:
    return {
        seed: dict(
            seconds=60.0,
            metrics=dict(emotion_acc=50 + offset + seed, recall_a=1.0, recall_b=2.0),
            best_metrics=dict(emotion_acc=60.0, recall_a=1.0, recall_b=2.0),
        )
        for seed in range(3)
    }


def test_report_holds_the_contract() -> None:
    table = TABLES[3]
    names = metric_names(table, ['a', 'b'])
    assert names == ['recall_a', 'recall_b', 'emotion_acc']
    header = dict(commit='c', machine='m', command='x', seeds=[0, 1, 2])
    found = {MART: results(0), 'Ver': results(-2)}
    recipe = dict(pretrain_epochs=12, finetune_epochs=18, effective_batch=4, lr=1e-3)
    training = {
        name: dict(
            config='configs/x.py', recipe=recipe, step_gflop=dict(pretrain=1.25, finetune=0.5)
        )
        for name in found
    }
    content = json.loads(json.dumps(table_json(table, found, names, header, training)))
    assert [row['row'] for row in content['rows']] == ['Ver', MART]
    assert content['commit'] == 'c' and content['seeds'] == [0, 1, 2]
    ver, mart = content['rows']
    assert ver['metrics']['emotion_acc']['values'] == [48.0, 49.0, 50.0]
    assert ver['minus_mart']['emotion_acc']['mean'] == pytest.approx(-2.0)
    assert mart['minus_mart']['emotion_acc']['mean'] == 0 and ver['recipe'] == recipe
    text = markdown(table, content, 'ekman6', names)
    assert '| Ver | 1.0 ± 0.0' in text and '-2.0 [-2.0, -2.0]' in text and '51.42' in text
    assert '| 12 + 18 | 4 | 0.001 | 1.25 / 0.50 | 60 |' in text
    assert '51.42' not in markdown(table, content, 'planted', names)
    assert comma_separated(content, names).count('\n') == 7


def test_recipe_and_cost_are_the_configs(tiny_config: Path) -> None:
    root = Path(__file__).resolve().parents[2] / 'configs'
    found = recipe(root / 'mart' / 'mart_mbt_ekman6.py')
    assert (found['pretrain_epochs'], found['finetune_epochs']) == (100, 150)
    assert (found['effective_batch'], found['lr']) == (36, 2e-4)
    for table in TABLES.values():  # fair: what is compared is trained alike
        paths = [root / row.path('planted') for row in table.rows]
        recipes = [recipe(path) for path in paths]
        assert len({(r['effective_batch'], r['lr'], r['optimizer']) for r in recipes}) == 1
        assert {r['pretrain_epochs'] + r['finetune_epochs'] for r in recipes} == {30}
    gflop = step_gflop(tiny_config)
    assert gflop.keys() == {'pretrain', 'finetune'}
    _, stages = count_config(Config.fromfile(tiny_config), progress=(0.5,))
    assert stages[0].stage == 'finetune'
    # backward costs twice as much as forward, without the inputs' gradient of the first layers
    assert 2.3 < gflop['finetune'] / (stages[0].total / 1e9) < 3


def test_a_finished_run_is_not_run_again(tiny_config: Path, tmp_path: Path) -> None:
    run = Run(tiny_config, 3, tmp_path / 'run', ('train_cfg.max_epochs=3', 'train_cfg.val_begin=3'))
    assert run.result() is None
    seen = []
    assert list(execute_all([run], 1, 1, lambda run, result: seen.append(result))) == []
    assert run.result() == json.loads(json.dumps(seen[0])) and seen[0]['commit']
    assert 0 <= seen[0]['metrics']['emotion_acc'] <= 100 and not seen[0]['resumed']
    assert Run(tiny_config, 4, run.folder, run.options).result() is None
    assert Run(tiny_config, 3, run.folder).result() is None  # other options
    (run.folder / RESULT).unlink()
    assert run.execute()['resumed']  # from its checkpoint, which is complete
    assert run.result()['metrics'] == seen[0]['metrics']
    broken = Run(tiny_config, 0, tmp_path / 'broken', ('model.pretext.visual.masker.r_min=2',))
    (failed,) = execute_all([broken], 1, 1, lambda run, result: None)
    assert failed[0] is broken and 'exit code 1' in failed[1] and 'r_min' in failed[1]
    assert isinstance(RunFailedError('x'), RuntimeError)
