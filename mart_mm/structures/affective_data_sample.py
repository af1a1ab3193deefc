"""The one container that carries a video's labels, times, cues and predictions."""

from __future__ import annotations

from mmengine.structures import BaseDataElement


class AffectiveDataSample(BaseDataElement):
    """Labels and predictions of one video with ``S`` segments and ``C`` emotion classes.

    Metainfo fields: ``video_id``, ``video_path``, ``failures`` (list of ``(path, reason)`` of media
    that could not be read on the way to this sample), ``warnings`` (what of this sample could not be
    read), ``transcript_source`` (``'annotation'``, ``'sidecar'``, ``'container'``, ``'speech'`` or
    None).

    Data fields, all optional:

    ==================== ============================================================================
    ``gt_emotion``       int, index of the class
    ``gt_sentiment``     int in {-1, 0, 1}
    ``gt_distribution``  float tensor (S, C), shares of the classes among a segment's labelled frames
    ``segment_times``    float tensor (S, 2), start and end of each segment in seconds
    ``texts``            list of S strings, what is said in the segment
    ``cues``             list of S lists of dict: ``word``, ``concept``, ``start``, ``end`` (seconds),
                         ``span`` (characters of the segment's text), ``polarity``, ``emotion_class``,
                         ``affect``; after prediction ``level`` (0-3: the highest level passed)
    ``pred_scores``      float tensor (C,), probabilities
    ``pred_emotion``     int
    ``pred_sentiment``   int in {-1, 0, 1}
    ``temporal_scores``  float tensor (S, C), the emotion distribution of each segment
    ``masks``            what emotion-oriented masking picks, a dict: bool tensor (S, grid...) of each
                         stream that is present (``'visual'``, ``'audio'``), and ``with_words``, bool
                         tensor (S,), segments with verified words
    ``failed``           str, why the video could not be read; then there is no prediction
    ==================== ============================================================================
    """
