"""What finished runs say, as JSON, CSV and Markdown."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from tools.analysis.paper_tables.rows import METRICS, Row, Table
from tools.analysis.paper_tables.statistics import paired_difference, summarise

Results = dict[str, dict[int, dict]]  # row -> seed -> result of its run


def metric_names(table: Table, classes: Sequence[str]) -> list[str]:
    """Metrics of a table, ``recall`` spelt out per class."""
    names = []
    for name in table.metrics:
        names += [f'recall_{c}' for c in classes] if name == 'recall' else [name]
    return names


def table_json(
    table: Table,
    results: Results,
    names: Sequence[str],
    header: dict,
    training: dict[str, dict],
) -> dict:
    """The table's contract: ``header`` and ``rows`` with metrics and differences to their reference.

    Args:
        table: Which rows.
        results: Finished runs.
        names: Metrics.
        header: ``commit``, ``machine``, ``command``, ``seeds`` and what else describes the runs.
        training: By row, ``config`` (its path in the repository), and ``recipe`` and ``step_gflop`` as
            :mod:`.cost` finds them.
    """
    by_row = {
        row.name: {
            name: {seed: result['metrics'][name] for seed, result in results[row.name].items()}
            for name in names
        }
        for row in table.rows
        if results.get(row.name)
    }
    rows = []
    for row in table.rows:
        if row.name not in by_row:
            continue
        metrics, reference = by_row[row.name], by_row.get(row.reference, {})
        runs = list(results[row.name].values())
        rows.append(
            dict(
                row=row.name,
                metrics={name: summarise(list(metrics[name].values())) for name in names},
                minus_mart={
                    name: paired_difference(metrics[name], reference.get(name, {}))
                    for name in names
                },
                best_metrics={
                    name: summarise([run['best_metrics'][name] for run in runs]) for name in names
                },
                seconds=summarise([run['seconds'] for run in runs]),
                **training[row.name],
            )
        )
    return header | dict(rows=rows)


def _cell(summary: dict) -> str:
    text = f'{summary["mean"]:.1f}'
    if summary['std'] is not None:
        text += f' ± {summary["std"]:.1f} [{summary["ci95"][0]:.1f}, {summary["ci95"][1]:.1f}]'
    return text


def _difference(difference: dict | None) -> str:
    if difference is None:
        return ''
    text = f'{difference["mean"]:+.1f}'
    if difference['ci95'] is not None:
        text += f' [{difference["ci95"][0]:+.1f}, {difference["ci95"][1]:+.1f}]'
    return text


def _training(row: dict) -> list[str]:
    """Effective batch, learning rate, GFLOP per video of a step in each stage, seconds of a run."""
    recipe, gflop = row['recipe'], row['step_gflop']
    cost = ' / '.join(f'{gflop[stage]:.2f}' for stage in ('pretrain', 'finetune') if stage in gflop)
    epochs = f'{recipe["pretrain_epochs"]} + {recipe["finetune_epochs"]}'
    seconds = f'{row["seconds"]["mean"]:.0f}'
    return [epochs, str(recipe['effective_batch']), f'{recipe["lr"]:g}', cost, seconds]


def label_of(name: str) -> str:
    """Heading of a metric."""
    return METRICS.get(name, name.removeprefix('recall_'))


def markdown(table: Table, content: dict, data: str, names: Sequence[str]) -> str:
    """The table for people: mean ± standard deviation [95 % interval], accuracy minus MART's, cost.

    Args:
        table: Which rows.
        content: As :func:`table_json` returns it.
        data: Data set, for the column with the paper's numbers.
        names: Metrics.
    """
    heads = ['row', *map(label_of, names), 'Acc^E minus MART']
    heads += ['epochs', 'batch', 'lr', 'GFLOP', 'seconds']
    by_name = {row.name: row for row in table.rows}
    has_paper = any(data in row.paper for row in table.rows)
    if has_paper:
        heads.append('paper: ' + ' '.join(map(label_of, names)))
    lines = ['| ' + ' | '.join(heads) + ' |', '|' + ' --- |' * len(heads)]
    for row in content['rows']:
        cells = [row['row'], *(_cell(row['metrics'][name]) for name in names)]
        cells += [_difference(row['minus_mart']['emotion_acc']), *_training(row)]
        if has_paper:
            cells.append(_paper(by_name[row['row']], data))
        lines.append('| ' + ' | '.join(cells) + ' |')
    return '\n'.join(lines) + '\n'


def _paper(row: Row, data: str) -> str:
    return ' '.join(f'{value:.2f}' for value in row.paper.get(data, ()))


def comma_separated(content: dict, names: Sequence[str]) -> str:
    """One line per row and metric."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator='\n')
    writer.writerow(
        ['row', 'config', 'metric', 'mean', 'std', 'low', 'high', 'minus_mart', 'values']
    )
    for row in content['rows']:
        for name in names:
            summary, difference = row['metrics'][name], row['minus_mart'][name]
            low, high = summary['ci95'] or ('', '')
            std = '' if summary['std'] is None else summary['std']
            values = ' '.join(f'{value:.4f}' for value in summary['values'])
            writer.writerow(
                [row['row'], row['config'], name, summary['mean'], std, low, high]
                + [difference['mean'] if difference else '', values]
            )
    return out.getvalue()
