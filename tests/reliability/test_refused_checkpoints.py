"""Files from strangers at every door: nothing in them runs, and the refusal names file and remedy."""

from __future__ import annotations

import copy
import pickle
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner.checkpoint import CheckpointLoader, load_checkpoint

from mart_mm.apis import MARTInferencer, get_model
from mart_mm.apis.check.files import check_files
from mart_mm.apis.check.findings import ERROR
from mart_mm.apis.frozen import load_frozen
from mart_mm.apis.infer import infer
from mart_mm.apis.publish import publish
from mart_mm.deploy.onnx import export_onnx
from mart_mm.errors import MediaError, WeightsError
from mart_mm.registry import MODELS
from mart_mm.structures.inference_card import CardError, InferenceCard
from mart_mm.ui.server import LazyAnalyser
from mart_mm.weight_files.opening import open_checkpoint
from mart_mm.weight_files.published import write_published
from mart_mm_cli.main import main

ROOT = Path(__file__).resolve().parents[2]
SMALL = dict(embed_dims=16, depth=2, num_heads=2)


@pytest.fixture(scope='module')
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp('config') / 'small.py'
    path.write_text(f"""_base_ = ['{ROOT}/configs/supervised/mbt_planted.py']
model = dict(backbone=dict(visual=dict(**{SMALL}), audio=dict(**{SMALL}), fusion_layer=1))
""")
    return path


@pytest.fixture(scope='module')
def good(config: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """Content of a checkpoint that needs nothing else."""
    cfg = Config.fromfile(config)
    init_default_scope('mart_mm')
    plain = cfg.to_dict()
    card = InferenceCard(
        name='small',
        model=plain['model'],
        pipeline=[
            step
            for step in plain['test_dataloader']['dataset']['pipeline']
            if 'lexicon' not in step  # takes a while to be packed
        ],
        classes='anger disgust fear joy sadness surprise'.split(),
        polarity=[-1, -1, -1, 1, -1, 1],
        mood_table={},
        segment_seconds=0.8,
        version='0',
    )
    state = MODELS.build(cfg.model).state_dict()
    return dict(state_dict=state, meta=dict(inference=card.to_dict()))


@pytest.fixture
def doors(
    config: Path, tiny_runs: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Callable[[Path], object]]:
    """Whatever opens weights."""
    from mart_mm.models.importance.flow.raft import _LazyRAFT
    from tools.convert import convert_ast, convert_videomae

    small = MODELS.build(Config.fromfile(config).model)
    visual = small.backbone.visual

    def convert(tool: object) -> Callable[[Path], None]:
        def door(path: Path) -> None:
            monkeypatch.setattr(sys, 'argv', ['tool', str(path), str(tmp_path / 'out.pth')])
            said = []
            monkeypatch.setattr('builtins.print', lambda text, **_: said.append(text))
            assert tool.main() == 1 and not (tmp_path / 'out.pth').exists()
            raise WeightsError(said[0])

        return door

    def start(path: Path, **options: object) -> None:
        tiny_runs.build(tmp_path / 'run', load_from=str(path), **options).load_or_resume()

    def init(path: Path) -> None:
        visual.pretrained, visual._is_init = str(path), False
        visual.init_weights()

    def command(*arguments: str) -> Callable[[Path], None]:
        def door(path: Path) -> None:
            said = []
            monkeypatch.setattr('builtins.print', lambda text, **_: said.append(str(text)))
            assert main([part.format(path) for part in arguments]) == 2
            raise WeightsError(said[0])

        return door

    def check(path: Path) -> None:
        (finding,) = check_files(Config(dict(load_from=str(path))))
        assert finding.level == ERROR and finding.message.startswith('load_from: ')
        raise WeightsError(finding.message)

    def analyse(path: Path) -> None:
        LazyAnalyser(model=str(path))(Path('a.mp4'), None, lambda *_: None)

    def infer_all(path: Path) -> None:
        said = []
        monkeypatch.setattr('mart_mm.apis.infer.print_log', lambda text, **_: said.append(text))
        video = tmp_path / 'a.mp4'
        video.touch()
        assert infer(video, path, out_dir=tmp_path) == 2
        raise WeightsError(said[0])

    return {
        'open': open_checkpoint,
        'load_from of MMEngine': lambda path: CheckpointLoader.load_checkpoint(str(path)),
        'init_cfg': lambda path: load_checkpoint(small, str(path)),
        'load_from': start,
        '--resume': lambda path: start(path, resume=True),
        'pretrained': init,
        'features and probes': lambda path: load_frozen(small, path),
        'convert_videomae': convert(convert_videomae),
        'convert_ast': convert(convert_ast),
        'RAFT': lambda path: _LazyRAFT(str(path)).load(),
        'model by name': lambda path: get_model(str(config), pretrained=str(path)),
        'inferencer': lambda path: MARTInferencer(path, device='cpu'),
        'infer': infer_all,
        'ui': analyse,
        'export': lambda path: export_onnx(path, None, tmp_path / 'a.onnx'),
        'publish': publish,
        'check': check,
        'mart-mm publish': command('publish', '{}'),
        'mart-mm export': command('export', '{}'),
    }


def test_nothing_runs_behind_any_door(
    harmful: SimpleNamespace,
    doors: dict[str, Callable[[Path], object]],
    count: Callable[[int, int], int],
    tell: Callable[[str], None],
) -> None:
    refused = 0
    for door, use in doors.items():
        step = 1 if door == 'open' else count(6, 1)
        for kind, path in list(harmful.files.items())[::step]:
            expected = (WeightsError, OSError) if door == 'RAFT' else WeightsError
            with pytest.raises(expected, match=f'{path.name}.*(take|get|open)') as caught:
                use(path)
            assert not harmful.marker.exists(), (door, kind)
            assert 'Traceback' not in str(caught.value)
            refused += 1
    assert 'antigravity' not in sys.modules
    tell(f'{refused} files refused: {len(harmful.files)} kinds at {len(doors)} doors')


def test_the_files_do_harm_where_they_are_simply_opened(
    tmp_path: Path, harmful: SimpleNamespace
) -> None:
    """Otherwise the test above would show nothing."""
    for kind in ('os.system', 'eval', 'storage'):
        marker = tmp_path / kind
        path = tmp_path / f'{kind}.pth'
        path.write_bytes(harmful.archive(harmful.with_code(marker)[kind]))
        torch.load(path, weights_only=False)
        assert marker.exists(), kind


@pytest.fixture
def python_config(good: dict, tmp_path: Path) -> Iterator[Path]:
    """A checkpoint with the config as MMEngine keeps it: text that MMEngine would run."""
    marker = tmp_path / 'ran'
    text = f"open({str(marker)!r}, 'w')\nmodel = dict(type='AffectiveRecognizer')\n"
    content = copy.deepcopy(good)
    content['meta'] |= dict(cfg=text, config=text, epoch=0, iter=0)
    torch.save(content | dict(message_hub={}), tmp_path / 'a.pth')
    yield tmp_path / 'a.pth'
    assert not marker.exists()
    Config.fromstring(text, '.py')
    assert marker.exists()


def test_a_config_in_a_checkpoint_is_not_run(python_config: Path) -> None:
    inferencer = MARTInferencer(python_config, device='cpu', show_progress=False)
    assert inferencer.card.name == 'small'
    publish(python_config)


def test_nor_when_a_run_goes_on(
    tiny_runs: SimpleNamespace, tmp_path: Path, python_config: Path
) -> None:
    content = torch.load(python_config, weights_only=True)
    content['message_hub'] = dict(log_scalars={}, runtime_info={}, resumed_keys={})
    torch.save(content, python_config)
    runner = tiny_runs.build(tmp_path / 'run', load_from=str(python_config), resume=True)
    runner.train()


def test_a_card_names_components_only(good: dict, tmp_path: Path) -> None:
    for number, kind in enumerate(('os.system', 'builtins.eval', 'torch.hub.load')):
        card = copy.deepcopy(good['meta']['inference'])
        card['pipeline'].append(dict(type=kind, command='touch ran'))
        path = tmp_path / f'{number}.pth'
        torch.save(good | dict(meta=dict(inference=card)), path)
        published = write_published(good['state_dict'], card, tmp_path / f'{number}')
        for name in (path, published):
            with pytest.raises(CardError, match=f'{name.name}.*{kind!r}.*refused'):
                MARTInferencer(name, device='cpu')


def test_pickles_elsewhere(harmful: SimpleNamespace, tmp_path: Path) -> None:
    """Features, their statistics, cached values and packed lexicons."""
    from mart_mm.datasets.cache import FileCache, cache_key
    from mart_mm.datasets.media.feature_file import read_features
    from mart_mm.datasets.media.plain_pickle import read_pickle
    from mart_mm.lexicon.packed import BadPackError, Pack

    # room for four thousand million objects would be made
    (tmp_path / 'memo.pkl').write_bytes(b'\x80\x02]r\xf0\xff\xff\xff.')
    for number, thing in enumerate(harmful.with_code(harmful.marker).values()):
        (tmp_path / f'{number}.pkl').write_bytes(pickle.dumps(dict(train=thing)))
    for path in [harmful.files['bomb'], harmful.files['tar'], *tmp_path.glob('*.pkl')]:
        with pytest.raises(MediaError, match=f'{path.name}: cannot be read as a plain pickle'):
            read_pickle(path)
        with pytest.raises(BadPackError):
            Pack.open(path)
        cache, key = FileCache(str(tmp_path / 'cache')), cache_key('a')
        place = cache._path(key)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(path.read_bytes())
        assert cache.load(key) is None
    objects = np.array([harmful.with_code(harmful.marker)['os.system']], dtype=object)
    np.save(tmp_path / 'a.npy', objects, allow_pickle=True)
    np.savez(tmp_path / 'a.npz', features=objects)
    for name in ('a.npy', 'a.npz'):
        with pytest.raises(MediaError, match=name):
            read_features(tmp_path / name)
    assert not harmful.marker.exists()
