"""A card is plain data, and what it names cannot run code."""

from __future__ import annotations

import copy
import json

import pytest

from mart_mm.structures.inference_card import CardError, InferenceCard

CARD = InferenceCard(
    name='tiny',
    model=dict(type='AffectiveRecognizer', backbone=dict(type='mmaction.ResNet3d')),
    pipeline=[dict(type='SampleSegments', num_segments=2)],
    classes=['joy', 'fear'],
    polarity=[1, -1],
    mood_table={'joy': 'joy', 'eagerness': None},
    segment_seconds=1.5,
    version='0.0',
)


def test_round_trip_through_json() -> None:
    content = json.loads(json.dumps(CARD.to_dict()))
    assert InferenceCard.from_dict(content, 'a.pth') == CARD


@pytest.mark.parametrize(
    'kind',
    [
        'os.system',
        'builtins.eval',
        'mmengine.fileio.load',
        'mart_mm.compat.load_from_local',
        'a b',
        3,
    ],
)
@pytest.mark.parametrize('where', ['model', 'step', 'deep'])
def test_types_that_are_no_components_are_refused(kind: object, where: str) -> None:
    content = copy.deepcopy(CARD.to_dict())
    if where == 'model':
        content['model']['type'] = kind
    elif where == 'step':
        content['pipeline'].append(dict(type=kind))
    else:
        content['model']['backbone']['parts'] = ([dict(inner=dict(type=kind))],)
    with pytest.raises(CardError, match='refused, it could run code') as caught:
        InferenceCard.from_dict(content, 'a.pth')
    assert repr(kind) in str(caught.value) and 'a.pth' in str(caught.value)


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (None, 'format 1 of meta.inference is expected'),
        (dict(format=2), 'format 1'),
        (dict(format=1, name='a'), 'lacks model, pipeline'),
        (CARD.to_dict() | dict(pipeline=[]), 'without a test pipeline'),
    ],
)
def test_what_is_missing_is_said_with_the_remedy(content: object, message: str) -> None:
    with pytest.raises(CardError, match=message) as caught:
        InferenceCard.from_dict(content, 'a.pth')
    assert 'give the config it was trained with' in str(caught.value)
