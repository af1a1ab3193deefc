"""The whole check; what ``mart-mm check`` does."""

from __future__ import annotations

from pathlib import Path

from mmengine.config import Config

from mart_mm.apis.check.batch import check_batch
from mart_mm.apis.check.data import check_data
from mart_mm.apis.check.files import check_files
from mart_mm.apis.check.findings import ERROR, OK, CheckReport, Finding, told
from mart_mm.apis.check.names import check_names


def check(
    config: str | Path, options: dict | None = None, *, with_batch: bool = True
) -> CheckReport:
    """Look for what would stop a run of a config.

    Args:
        config: The file.
        options: Overrides of its fields.
        with_batch: Whether to take a batch through pipeline and losses, where the rest is right.

    Returns:
        What was found; every part is looked at, whatever the others say, but the last, which needs
        them right.
    """
    report = CheckReport(str(config))
    try:
        cfg = Config.fromfile(config)
        cfg.merge_from_dict(options or {})
    except Exception as error:  # a config is a program and may raise anything; all of it is told
        report.findings.append(Finding(ERROR, 'config', f'{type(error).__name__}: {told(error)}'))
        return report
    report.findings.append(Finding(OK, 'config', f'{len(cfg)} keys'))
    if 'model' not in cfg or 'train_dataloader' not in cfg:
        message = 'there is no model or no train_dataloader: take a config that trains'
        report.findings.append(Finding(ERROR, 'config', message))
        return report
    for part in (check_names, check_files, check_data):
        report.findings += part(cfg)
    if with_batch and not report.has_errors:
        report.findings += check_batch(cfg)
    return report
