"""A report as a task with predictions for Label Studio, and the labelling interface that shows it."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

from mart_mm.structures.emotion_report import LEVELS, EmotionReport
from mart_mm.utils.atomic import write_text

_NOMINAL_RATE = 25.0  # frames per second, where the video is not at hand
_UNVERIFIED = 'word'  # label of a word where nothing was verified


def write_label_studio(
    report: EmotionReport, path: str | Path, media_path: str | Path | None = None
) -> list[Path]:
    """Write tasks to import, and the labelling interface as ``.xml`` beside them.

    The one task shows the video with two timelines (``TimelineLabels``): ``emotion`` with a region
    per segment, its score the probability of the emotion, and ``words`` with a region per word,
    labelled by the level it reached, the word itself as the region's note. The emotion of the whole
    video is a choice, what is said are paragraphs that follow the video. The interface depends on
    the classes only: videos with the same classes go into one project.

    Label Studio counts frames from 1, first and last included, at the rate that the interface states
    (here the task's ``fps``), and does not read the video's own; the numbers are right for any rate
    that both share. With the video at hand it is the video's mean rate, so that one step is one
    frame, otherwise 25.

    ``data.video`` is what Label Studio loads: ``/data/local-files/?d=NAME``, a file in the root of
    its local storage (``LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT``); replace it where the videos lie
    elsewhere.

    Args:
        report: Of one video.
        path: Ending in ``.json``.
        media_path: The video; None where it is not at hand.

    Raises:
        MediaError: When the video cannot be read.
        ValueError: When neither the report nor ``media_path`` names a video.
    """
    path = Path(path)
    name = report.video or (Path(media_path).name if media_path is not None else '')
    if not name:
        raise ValueError('the report is of arrays (video is empty): Label Studio shows videos only')
    rate = _NOMINAL_RATE if media_path is None else _frame_rate(media_path)
    model = f'{report.model.get("name", "mart-mm")} {report.model.get("version", "")}'.strip()
    spoken = [part for part in report.segments if part.text]
    task = dict(
        data=dict(
            video=f'/data/local-files/?d={quote(name, errors="replace")}',
            fps=rate,
            transcript=[
                dict(start=p.start, end=p.end, emotion=p.emotion, text=p.text) for p in spoken
            ],
        ),
        predictions=[
            dict(
                model_version=model,
                score=_share(report, report.scores, report.emotion),
                result=_results(report, rate),
            )
        ],
    )
    write_text(path, json.dumps([task], ensure_ascii=False, indent=1))
    config = path.with_suffix('.xml')
    write_text(config, labelling_config(report.classes))
    return [path, config]


def labelling_config(classes: list[str]) -> str:
    """The labelling interface for reports with these classes, as XML."""
    from mart_mm.visualization.style import CLASS_COLOURS, LEVEL_COLOURS  # heavy: matplotlib

    view = ElementTree.Element('View')

    def add(tag: str, parent: ElementTree.Element = view, **attributes: str) -> ElementTree.Element:
        return ElementTree.SubElement(parent, tag, attributes)

    height = str(40 + 24 * (len(classes) + len(LEVELS)))
    add('Video', name='video', value='$video', frameRate='$fps', sync='media',
        timelineHeight=height)  # fmt: skip
    add('Header', value='Emotion')
    emotions = add('TimelineLabels', name='emotion', toName='video')
    for index, label in enumerate(classes):
        colour = CLASS_COLOURS[index % len(CLASS_COLOURS)]
        add('Label', emotions, value=label, background=colour)
    add('Header', value='Words by the level of verification that they reached')
    words = add('TimelineLabels', name='words', toName='video')
    levels = zip((*LEVELS, _UNVERIFIED), (*LEVEL_COLOURS, LEVEL_COLOURS[0]), strict=True)
    for label, colour in levels:
        add('Label', words, value=label, background=colour)
    add('Header', value='Emotion of the whole video')
    choices = add('Choices', name='video_emotion', toName='video', choice='single-radio')
    for label in classes:
        add('Choice', choices, value=label)
    add('Paragraphs', name='transcript', value='$transcript', sync='media', layout='dialogue',
        nameKey='emotion', textKey='text')  # fmt: skip
    ElementTree.indent(view)
    return ElementTree.tostring(view, encoding='unicode') + '\n'


def _results(report: EmotionReport, rate: float) -> list[dict]:
    results = [
        dict(
            id='video',
            from_name='video_emotion',
            to_name='video',
            type='choices',
            value=dict(choices=[report.emotion]),
        )
    ]
    for index, part in enumerate(report.segments):
        region = _region(f'segment-{index}', 'emotion', part.emotion, part.start, part.end, rate)
        region['score'] = _share(report, part.distribution, part.emotion)
        results.append(region)
    for index, word in enumerate(report.words):
        label = _UNVERIFIED if word.level is None else LEVELS[word.level]
        region = _region(f'word-{index}', 'words', label, word.start, word.end, rate)
        region['meta'] = dict(text=[word.word])
        results.append(region)
    return results


def _region(identity: str, control: str, label: str, start: float, end: float, rate: float) -> dict:
    first = round(start * rate) + 1
    span = dict(start=first, end=max(first, round(end * rate)))
    return dict(
        id=identity,
        from_name=control,
        to_name='video',
        type='timelinelabels',
        value=dict(ranges=[span], timelinelabels=[label]),
    )


def _share(report: EmotionReport, distribution: list[float], emotion: str) -> float:
    return round(distribution[report.classes.index(emotion)], 6)


def _frame_rate(path: str | Path) -> float:
    """Mean frames per second."""
    from mart_mm.preparation.small_copy import frame_table  # heavy: av

    table = frame_table(path)
    return round(len(table.times) / table.duration, 6)
