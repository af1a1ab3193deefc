from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

from mart_mm.exports.elan import write_elan

# the order of elements in EAFv2.8.xsd
ORDER = [
    'LICENSE', 'HEADER', 'TIME_ORDER', 'TIER', 'LINGUISTIC_TYPE', 'LOCALE', 'LANGUAGE', 'CONSTRAINT',
    'CONTROLLED_VOCABULARY', 'LEXICON_REF', 'EXTERNAL_REF',
]  # fmt: skip


def check_structure(path: Path) -> ElementTree.Element:
    """What EAFv2.8.xsd asks of the elements that are used, and that nothing overlaps in a tier."""
    root = ElementTree.parse(path).getroot()
    assert root.tag == 'ANNOTATION_DOCUMENT' and root.get('VERSION') == root.get('FORMAT') == '2.8'
    assert root.get('DATE') and root.get('AUTHOR')
    places = [ORDER.index(element.tag) for element in root]
    assert places == sorted(places)
    (header,) = root.findall('HEADER')
    assert header.get('TIME_UNITS') == 'milliseconds'
    assert [e.tag for e in header] in (['PROPERTY'], ['MEDIA_DESCRIPTOR', 'PROPERTY'])
    slots = {s.get('TIME_SLOT_ID'): int(s.get('TIME_VALUE')) for s in root.iter('TIME_SLOT')}
    notes = list(root.iter('ALIGNABLE_ANNOTATION'))
    languages = {e.get('LANG_ID') for e in root.iter('LANGUAGE')}
    constraints = {e.get('STEREOTYPE') for e in root.iter('CONSTRAINT')}
    identities = [*slots, *(a.get('ANNOTATION_ID') for a in notes), *languages, *constraints]
    assert len(set(identities)) == len(identities)  # of type xsd:ID: one space for all
    last = int(header.find('PROPERTY[@NAME="lastUsedAnnotationId"]').text)
    assert max(int(note.get('ANNOTATION_ID')[1:]) for note in notes) <= last
    vocabularies = {e.get('CV_ID'): e for e in root.iter('CONTROLLED_VOCABULARY')}
    kinds = {e.get('LINGUISTIC_TYPE_ID'): e for e in root.iter('LINGUISTIC_TYPE')}
    for value in root.iter('CVE_VALUE'):
        assert value.get('LANG_REF') in languages
    tiers = root.findall('TIER')
    assert len({tier.get('TIER_ID') for tier in tiers}) == len(tiers)
    for tier in tiers:
        kind = kinds[tier.get('LINGUISTIC_TYPE_REF')]
        assert kind.get('TIME_ALIGNABLE') == 'true'
        allowed = None
        if kind.get('CONTROLLED_VOCABULARY_REF'):
            vocabulary = vocabularies[kind.get('CONTROLLED_VOCABULARY_REF')]
            allowed = {value.text for value in vocabulary.iter('CVE_VALUE')}
        end = 0
        for note in tier.iter('ALIGNABLE_ANNOTATION'):
            first, stop = slots[note.get('TIME_SLOT_REF1')], slots[note.get('TIME_SLOT_REF2')]
            assert end <= first < stop
            end = stop
            (value,) = note
            assert value.tag == 'ANNOTATION_VALUE'
            assert allowed is None or value.text in allowed
    return root


def reopened(path: Path) -> dict[str, list[tuple]]:
    pympi = pytest.importorskip('pympi')
    document = pympi.Elan.Eaf(str(path))
    return {
        name: sorted(document.get_annotation_data_for_tier(name))
        for name in document.get_tier_names()
    }


def test_annotations_come_back(tmp_path: Path, kit: SimpleNamespace) -> None:
    report = kit.report(seconds=1.23456, winners=[1, 1, 0])
    (path,) = write_elan(report, tmp_path / 'a.eaf')
    check_structure(path)
    tiers = reopened(path)
    assert set(tiers) == {
        'emotion', 'sentiment', 'degree', 'text', 'words found', 'words E2', 'words E2 (2)', 'words E3',
    }  # fmt: skip
    for name, value_of in (
        ('emotion', lambda part: part.emotion),
        ('sentiment', lambda part: ('negative', 'neutral', 'positive')[part.sentiment + 1]),
        ('degree', lambda part: f'{part.degree:.3f}'),
    ):
        # neighbours with the same emotion stay two annotations
        for (start, end, value), part in zip(tiers[name], report.segments, strict=True):
            assert abs(start - part.start * 1000) <= 1 and abs(end - part.end * 1000) <= 1
            assert value == value_of(part)
    assert [value for *_, value in tiers['text']] == ['I hate it', 'what a lovely day']
    assert tiers['words E3'] == [(200, 400, 'hate')]
    # what overlaps lies on two tiers
    assert tiers['words E2'] == [(2300, 2600, 'lovely')]
    assert tiers['words E2 (2)'] == [(2300, 2900, 'lovely day')]
    assert tiers['words found'] == [(2700, 2900, 'day')]


def test_unverified_and_evil_words(tmp_path: Path, kit: SimpleNamespace) -> None:
    evil = ['<&>"', 'a\x00b\x1b', '😀', 'x\r\ny', 'zero']
    times = [(0.0, 0.1), (0.2, 0.3), (0.4, 0.5), (0.6, 0.7), (0.8, 0.8)]
    words = [(word, *time, 0, None) for word, time in zip(evil, times, strict=True)]
    (path,) = write_elan(kit.report(words=words), tmp_path / 'a.eaf')
    check_structure(path)
    tiers = reopened(path)
    assert [value for *_, value in tiers['words']] == [
        '<&>"', 'a\ufffdb\ufffd', '😀', 'x\ny', 'zero',
    ]  # fmt: skip
    assert tiers['words'][-1][:2] == (800, 801)
    assert not [name for name in tiers if name.startswith('words ')]


def test_the_video_is_linked_relatively(tmp_path: Path, kit: SimpleNamespace) -> None:
    media = tmp_path / 'media' / 'my talk & you.mp4'
    media.parent.mkdir()
    media.touch()
    report = kit.report(video=media.name)
    for folder in ('media', 'out/deep'):
        (path,) = write_elan(report, tmp_path / folder / 'a.eaf', media)
        descriptor = check_structure(path).find('HEADER/MEDIA_DESCRIPTOR')
        link = descriptor.get('RELATIVE_MEDIA_URL')
        assert not Path(link).is_absolute() and (path.parent / link).resolve() == media.resolve()
        assert str(tmp_path) not in path.read_text(encoding='utf-8')
        assert descriptor.get('MIME_TYPE') == 'video/mp4'
    (path,) = write_elan(report, tmp_path / 'b.eaf')
    link = check_structure(path).find('HEADER/MEDIA_DESCRIPTOR').get('RELATIVE_MEDIA_URL')
    assert link == './my talk & you.mp4'
    (path,) = write_elan(kit.report(video=''), tmp_path / 'c.eaf')
    assert check_structure(path).find('HEADER/MEDIA_DESCRIPTOR') is None
