"""Two CPU processes train as one."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import torch


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def test_gradients_equal_those_of_one_process(helpers: object, tmp_path: Path) -> None:
    target = tmp_path / 'gradients.pth'
    command = [
        sys.executable, '-m', 'torch.distributed.run', '--nproc_per_node=2',
        '--master_addr=127.0.0.1', f'--master_port={free_port()}',
        str(Path(__file__).parent / 'ddp_gradients.py'), str(target),
    ]  # fmt: skip
    root = Path(__file__).resolve().parents[2]
    environment = os.environ | {'PYTHONPATH': str(root), 'OMP_NUM_THREADS': '1'}
    done = subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    torch.manual_seed(0)
    model = helpers.recognizer(helpers.pretext(verify_level=1))
    batch = helpers.batch(num_videos=4, audio=(True, True, True, False))
    batch['inputs']['cues']['valid'][2] = False
    losses = model(**model.data_preprocessor(batch, True), mode='loss')
    model.parse_losses(losses)[0].backward()
    got = torch.load(target, weights_only=True)
    for name, parameter in model.named_parameters():
        scale = parameter.grad.abs().max()
        torch.testing.assert_close(
            got[name] / scale,
            parameter.grad / scale,
            atol=2e-5,
            rtol=0,
            msg=lambda m, n=name: f'{n}: {m}',
        )


def test_dist_train_script(tiny_config: Path, tmp_path: Path, runs: object) -> None:
    command = ['bash', 'tools/dist_train.sh', str(tiny_config), '2', '--work-dir', str(tmp_path)]
    command += ['--cfg-options', 'default_hooks.checkpoint.interval=100']
    environment = os.environ | {'OMP_NUM_THREADS': '1', 'PYTHON': sys.executable}
    done = subprocess.run(
        command, cwd=runs.root, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    scalars = runs.scalars(tmp_path)
    steps = [r for r in scalars if 'loss' in r]
    assert [r['epoch'] for r in steps] == [1, 1, 2, 2, 3, 3, 4, 4]  # 12 videos, 2 x 4 a step
    scores = [r for r in scalars if 'affect/videos' in r][-1]
    assert scores['affect/videos'] == 6
    (report,) = tmp_path.glob('*/failures.json')
    assert len(json.loads(report.read_text())) == 1
