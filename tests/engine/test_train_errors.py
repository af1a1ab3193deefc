"""What a person sees when training cannot go on."""

from pathlib import Path


def test_non_finite_loss_names_the_losses_and_keeps_checkpoints(
    tiny_config: Path, tmp_path: Path, runs: object
) -> None:
    done = runs.run(
        tiny_config,
        tmp_path,
        '--cfg-options',
        'optim_wrapper.optimizer.lr=1e30',
        'optim_wrapper.clip_grad=None',
        'param_scheduler=[]',
    )
    assert done.returncode != 0
    assert 'NonFiniteLossError' in done.stderr
    assert 'loss_cls_visual=' in done.stderr and 'loss_kl_audio=' in done.stderr
    assert list(tmp_path.glob('nonfinite_iter_*.pth'))
    assert (tmp_path / 'iter_1.pth').exists()


def test_misspelt_config_key_is_named(tiny_config: Path, tmp_path: Path, runs: object) -> None:
    done = runs.run(tiny_config, tmp_path, '--cfg-options', 'optim_wraper.type=OptimWrapper')
    assert done.returncode != 0
    assert "did you mean 'optim_wrapper'" in done.stderr


def test_missing_data_names_folder_tree_and_command(tmp_path: Path, runs: object) -> None:
    config = runs.root / 'configs' / 'mart' / 'mart_mbt_planted.py'
    missing = tmp_path / 'nowhere'
    options = [
        f'{split}_dataloader.dataset.data_root={missing}' for split in ('train', 'val', 'test')
    ]
    done = runs.run(config, tmp_path / 'work', '--cfg-options', *options)
    assert done.returncode != 0
    for part in (str(missing), 'trainlist01.txt', 'mart-mm plant --out'):
        assert part in done.stderr
