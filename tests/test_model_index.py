"""The pages and the index of configs are complete and true."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = sorted(
    path for path in (ROOT / 'configs').iterdir() if path.is_dir() and path.name != '_base_'
)


def test_index_holds_every_folder() -> None:
    index = yaml.safe_load((ROOT / 'model-index.yml').read_text(encoding='utf-8'))
    listed = [ROOT / name for name in index['Import']]
    assert listed == [folder / 'metafile.yml' for folder in FOLDERS]


@pytest.mark.parametrize('folder', FOLDERS, ids=lambda folder: folder.name)
def test_metafile_lists_every_config(folder: Path) -> None:
    content = yaml.safe_load((folder / 'metafile.yml').read_text(encoding='utf-8'))
    names = [collection['Name'] for collection in content['Collections']]
    for collection in content['Collections']:
        assert (ROOT / collection['README']).is_file()
    listed = set()
    for model in content['Models']:
        path = ROOT / model['Config']
        assert path.is_file() and model['Name'] == path.stem and model['In Collection'] in names
        assert model['Alias'] == [path.stem.replace('_', '-')]
        assert model['Metadata']['Training Data']
        assert 'Weights' not in model  # none are published
        listed.add(path)
    expected = {
        path
        for path in folder.rglob('*.py')
        if '_base_' not in path.parts and '__pycache__' not in path.parts
    }
    assert listed == expected


@pytest.mark.parametrize('folder', FOLDERS, ids=lambda folder: folder.name)
def test_page_names_its_configs_and_its_links_lead_somewhere(folder: Path) -> None:
    text = (folder / 'README.md').read_text(encoding='utf-8')
    assert '.py`' in text
    for target in re.findall(r'\]\(([^)#:]+)\)', text):
        assert (folder / target).exists(), target
    for name in re.findall(r'`([\w./-]+\.py)`', text):
        if '<' in name or '*' in name:
            continue
        places = (folder / name, ROOT / 'configs' / name, ROOT / name)
        by_name = list(ROOT.glob(f'configs/**/{Path(name).name}'))
        assert any(place.exists() for place in places) or by_name, name
