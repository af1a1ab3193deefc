from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

from mart_mm.errors import MediaError
from mart_mm.exports.label_studio import write_label_studio

# from Label Studio's guide "Import pre-annotated data" and its pages on the tags TimelineLabels,
# Choices and Paragraphs
REGION = {
    'type': 'object',
    'required': ['id', 'from_name', 'to_name', 'type', 'value'],
    'properties': {
        'id': {'type': 'string', 'pattern': '^[A-Za-z0-9_-]+$'},
        'from_name': {'type': 'string'},
        'to_name': {'const': 'video'},
        'type': {'enum': ['timelinelabels', 'choices']},
        'score': {'type': 'number', 'minimum': 0, 'maximum': 1},
        'meta': {
            'type': 'object',
            'properties': {'text': {'type': 'array', 'items': {'type': 'string'}}},
            'additionalProperties': False,
        },
    },
    'additionalProperties': True,
    'if': {'properties': {'type': {'const': 'timelinelabels'}}},
    'then': {
        'properties': {
            'value': {
                'type': 'object',
                'required': ['ranges', 'timelinelabels'],
                'additionalProperties': False,
                'properties': {
                    'ranges': {
                        'type': 'array',
                        'minItems': 1,
                        'maxItems': 1,
                        'items': {
                            'type': 'object',
                            'required': ['start', 'end'],
                            'additionalProperties': False,
                            'properties': {
                                'start': {'type': 'integer', 'minimum': 1},
                                'end': {'type': 'integer', 'minimum': 1},
                            },
                        },
                    },
                    'timelinelabels': {
                        'type': 'array', 'minItems': 1, 'maxItems': 1, 'items': {'type': 'string'},
                    },
                },
            }
        }
    },
    'else': {
        'properties': {
            'value': {
                'type': 'object',
                'required': ['choices'],
                'additionalProperties': False,
                'properties': {'choices': {'type': 'array', 'items': {'type': 'string'}}},
            }
        }
    },
}  # fmt: skip
SCHEMA = {
    '$schema': 'https://json-schema.org/draft/2020-12/schema',
    'type': 'array',
    'minItems': 1,
    'items': {
        'type': 'object',
        'required': ['data', 'predictions'],
        'additionalProperties': False,
        'properties': {
            'data': {
                'type': 'object',
                'required': ['video', 'fps', 'transcript'],
                'properties': {
                    'video': {'type': 'string', 'format': 'uri-reference', 'minLength': 1},
                    'fps': {'type': 'number', 'exclusiveMinimum': 0},
                    'transcript': {
                        'type': 'array',
                        'items': {
                            'type': 'object',
                            'required': ['text', 'emotion', 'start', 'end'],
                            'properties': {
                                'text': {'type': 'string', 'minLength': 1},
                                'emotion': {'type': 'string'},
                                'start': {'type': 'number', 'minimum': 0},
                                'end': {'type': 'number', 'minimum': 0},
                            },
                        },
                    },
                },
            },
            'predictions': {
                'type': 'array',
                'items': {
                    'type': 'object',
                    'required': ['result'],
                    'additionalProperties': False,
                    'properties': {
                        'model_version': {'type': 'string', 'minLength': 1},
                        'score': {'type': 'number', 'minimum': 0, 'maximum': 1},
                        'result': {'type': 'array', 'items': REGION},
                    },
                },
            },
        },
    },
}


def written(
    report: object, path: Path, media: Path | None = None
) -> tuple[dict, ElementTree.Element]:
    """The task, after its schema and its accordance with the interface were checked."""
    jsonschema = pytest.importorskip('jsonschema')
    tasks_path, config_path = write_label_studio(report, path, media)
    tasks = json.loads(tasks_path.read_text(encoding='utf-8'))
    jsonschema.validate(tasks, SCHEMA)
    (task,) = tasks
    view = ElementTree.fromstring(config_path.read_text(encoding='utf-8'))
    video = view.find('Video')
    assert (video.get('value'), video.get('frameRate')) == ('$video', '$fps')
    for element in view.iter():
        for key in ('value', 'frameRate'):
            name = element.get(key, '')
            assert element.tag in ('Label', 'Choice', 'Header') or name.lstrip('$') in (
                '',
                *task['data'],
            )
    controls = {e.get('name'): e for e in view if e.get('toName')}
    results = task['predictions'][0]['result']
    assert len({result['id'] for result in results}) == len(results)
    for result in results:
        control = controls[result['from_name']]
        assert control.tag.lower() == result['type'] and control.get('toName') == result['to_name']
        allowed = {element.get('value') for element in control}
        assert set(result['value'][result['type']]) <= allowed
    return task, view


def regions(task: dict, control: str) -> list[dict]:
    return [r for r in task['predictions'][0]['result'] if r['from_name'] == control]


def test_regions_are_the_segments_and_words(
    tmp_path: Path, kit: SimpleNamespace, clip: Path
) -> None:
    report = kit.report()
    task, _ = written(report, tmp_path / 'a.labelstudio.json', clip)
    assert task['data']['video'] == '/data/local-files/?d=talk.v2.mp4'
    rate = task['data']['fps']
    assert rate == pytest.approx(10)
    expected = 1
    for region, part in zip(regions(task, 'emotion'), report.segments, strict=True):
        (span,) = region['value']['ranges']
        assert span['start'] == expected  # frames are counted from 1, none is in two segments
        expected = span['end'] + 1
        assert (span['start'] - 1) / rate == pytest.approx(part.start, abs=0.5 / rate)
        assert span['end'] / rate == pytest.approx(part.end, abs=0.5 / rate)
        assert region['value']['timelinelabels'] == [part.emotion]
        assert region['score'] == pytest.approx(max(part.distribution))
    words = [(r['meta']['text'], r['value']['timelinelabels']) for r in regions(task, 'words')]
    assert words == [
        (['hate'], ['E3']), (['lovely'], ['E2']), (['lovely day'], ['E2']), (['day'], ['found']),
    ]  # fmt: skip
    (whole,) = regions(task, 'video_emotion')
    assert whole['value'] == {'choices': ['anger']}
    assert [line['text'] for line in task['data']['transcript']] == [
        'I hate it',
        'what a lovely day',
    ]


def test_without_the_video_and_with_odd_names(tmp_path: Path, kit: SimpleNamespace) -> None:
    classes = ('<anger> & "rage"', 'joy', '😀')
    words = [('short', 0.5, 0.5, 0, None)]
    report = kit.report(classes=classes, words=words, video='my talk?.mp4')
    task, view = written(report, tmp_path / 'a.json')
    assert task['data']['video'] == '/data/local-files/?d=my%20talk%3F.mp4'
    assert [label.get('value') for label in view.find('TimelineLabels')] == list(classes)
    (span,) = regions(task, 'words')[0]['value']['ranges']
    assert span['start'] == span['end'] == 13  # half a second at 25 frames per second
    with pytest.raises(ValueError, match='video is empty'):
        write_label_studio(kit.report(video=''), tmp_path / 'b.json')
    (tmp_path / 'text.mp4').write_text('no video')
    with pytest.raises(MediaError, match='text.mp4'):
        write_label_studio(report, tmp_path / 'b.json', tmp_path / 'text.mp4')
