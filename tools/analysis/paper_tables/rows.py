"""The rows of the paper's tables (Zhang et al., CVPR 2024) and the configs that stand for them.

Table 6 is none of the paper's: networks alone and taught by MART, on planted affect.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from mart_mm.errors import unknown_name

#: metrics of Tables 1 and 2 by their name in the paper
METRICS = {
    'sentiment_acc': 'Acc^S',
    'sentiment_f1': 'F1^S',
    'emotion_acc': 'Acc^E',
    'emotion_f1': 'F1^E',
}
#: files are named ``<stem>_<data>.py``
DATA = ('planted', 'ekman6', 've8', 'perr', 'iemocap', 'affwild2')
MART = 'MART'


@dataclass(frozen=True)
class Row:
    """A row of a table.

    Attributes:
        name: As in the table.
        config: Path below ``configs`` without ``_<data>.py``.
        paper: By data set, the paper's numbers in the order of the table's metrics.
        reference: Row that it is compared with.
    """

    name: str
    config: str
    paper: dict[str, tuple[float, ...]] = field(default_factory=dict)
    reference: str = MART

    def path(self, data: str) -> str:
        """Config file of a data set, below ``configs``."""
        return f'{self.config}_{data}.py'


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        title: What it compares.
        metrics: Names of metrics; ``recall`` stands for one column per class.
        rows: Its rows.
    """

    title: str
    metrics: tuple[str, ...]
    rows: tuple[Row, ...]


# name | config | Ekman6, VideoEmotion8, PERR: Acc^S F1^S Acc^E F1^E each
_TABLE_1 = """
Baseline   |supervised/mbt           |68.23 68.40 48.08 46.97 72.22 72.35 43.61 42.96 60.32 57.57 56.33 52.56
MoCo v3    |mocov3/mocov3_mbt        |69.22 69.39 47.47 46.81 69.72 69.63 42.06 45.28 60.60 55.66 56.40 50.54
AudioMAE   |audiomae/audiomae_mbt    |69.10 69.35 45.24 44.38 68.33 68.46 41.39 40.37 54.23 52.33 51.12 48.50
SSAST      |ssast/ssast_mbt          |72.44 72.45 50.06 49.97 72.22 72.30 44.44 43.84 57.75 54.09 53.62 49.81
MaskFeat   |maskfeat/maskfeat_mbt    |76.14 76.15 52.41 52.40 70.00 69.57 46.39 44.76 62.29 60.76 57.41 54.41
MAE-ST     |maest/maest_mbt          |70.58 70.68 49.44 48.66 73.89 73.76 48.89 47.53 60.53 55.96 56.60 50.99
TCL        |tcl/tcl_mbt              |69.22 69.38 46.85 46.35 70.00 69.42 44.44 41.93 62.63 60.18 58.43 54.61
MILAN      |milan/milan_mbt          |72.68 72.78 50.80 50.40 72.50 72.29 47.22 45.72 61.34 58.00 57.62 53.57
VideoMAE V2|videomaev2/videomaev2_mbt|70.09 70.24 50.93 50.07 75.00 75.02 49.44 46.62 61.00 56.90 56.80 51.71
MGMAE      |mgmae/mgmae_mbt          |76.20 76.01 51.98 52.36 69.82 70.31 49.28 45.88 61.31 61.22 55.37 56.19
MART       |mart/mart_mbt            |79.10 79.24 52.66 52.64 73.61 73.58 50.83 48.22 61.88 59.25 57.89 54.65
"""
# IEMOCAP, AffWild2
_TABLE_2 = """
Baseline    | supervised/mbt            | 67.02 66.09 65.79 65.71 65.54 59.05 63.50 56.74
MoCo v3     | mocov3/mocov3_mbt         | 67.16 67.20 66.08 66.11 67.48 62.87 64.03 58.35
MaskFeat    | maskfeat/maskfeat_mbt     | 66.37 66.04 65.50 65.19 66.30 61.38 63.87 58.36
MAE-ST      | maest/maest_mbt           | 67.78 67.74 66.19 65.66 65.83 61.46 63.40 58.35
SSAST       | ssast/ssast_mbt           | 63.95 64.34 62.46 61.66 65.99 59.47 63.79 55.81
TCL         | tcl/tcl_mbt               | 66.18 66.26 65.53 65.57 65.99 59.06 64.18 56.40
MILAN       | milan/milan_mbt           | 67.34 67.32 66.11 66.08 66.07 60.09 64.34 57.65
VideoMAE V2 | videomaev2/videomaev2_mbt | 65.82 65.95 65.35 65.42 66.71 61.32 65.14 58.69
MART        | mart/mart_mbt             | 67.45 67.25 66.29 66.14 68.82 62.91 65.23 59.41
"""
# Ekman6: recall of anger, disgust, fear, joy, sadness, surprise, then Acc^E
_TABLE_3 = """
neither          | mart/ablations/mart_neither_mbt        | 45.09 48.05 45.03 53.27 49.58 49.09 48.21
Ver              | mart/ablations/mart_ver_mbt            | 49.27 51.35 45.56 51.51 58.52 57.77 51.42
Msk              | mart/ablations/mart_msk_mbt            | 51.78 52.55 45.57 61.46 51.56 53.30 52.16
MART             | mart/mart_mbt                          | 51.50 55.26 46.41 63.09 55.86 59.61 53.17
"""
# "Random 90" is "Ver" of Table 3, as in the paper: masking off means random 90 %
_TABLE_4 = """
Frame 40         | mart/ablations/mart_mask-frame_mbt     | 35.78 44.70 50.00 58.29 57.23 48.75 49.17
Random 90        | mart/ablations/mart_ver_mbt            | 49.27 51.35 45.56 51.51 58.52 57.77 51.42
Tube 95          | mart/ablations/mart_mask-tube_mbt      | 56.67 44.70 50.76 44.13 63.75 45.51 49.07
Attention 10~50  | mart/ablations/mart_mask-attention_mbt | 50.28 49.73 49.16 57.48 55.13 57.63 49.67
MART             | mart/mart_mbt                          | 51.50 55.26 46.41 63.09 55.86 59.61 53.17
"""
_TABLE_5 = """
Pixel            | mart/ablations/mart_target-pixel_mbt   | 43.06 47.78 53.03 50.51 50.14 49.99 48.58
HOG              | mart/ablations/mart_target-hog_mbt     | 47.68 49.16 52.62 53.47 49.21 51.34 50.20
CLIP             | mart/ablations/mart_target-clip_mbt    | 48.87 48.83 50.00 54.80 51.69 49.98 50.56
MART             | mart/mart_mbt                          | 51.50 55.26 46.41 63.09 55.86 59.61 53.17
"""
# each network alone and with MART as its pretext; the last rows change what MART learns from
_PLUG_IN = """
VAANet                  | vaanet/vaanet                       | VAANet + MART
VAANet + MART           | vaanet/mart_vaanet                  | VAANet + MART
SlowOnly-R18            | supervised/slowonly-r18             | SlowOnly-R18 + MART
SlowOnly-R18 + MART     | mart/backbones/mart_slowonly-r18    | SlowOnly-R18 + MART
MBT                     | supervised/mbt                      | MART
MART                    | mart/mart_mbt                       | MART
MART without labels     | mart/ablations/mart_labelfree_mbt   | MART
MART, one pass          | mart/cheaper/mart_remembered_mbt    | MART
"""


def _plug_in(text: str) -> tuple[Row, ...]:
    parts = ([part.strip() for part in line.split('|')] for line in text.strip().splitlines())
    return tuple(Row(name, config, reference=reference) for name, config, reference in parts)


def _rows(text: str, data: tuple[str, ...]) -> tuple[Row, ...]:
    """Rows of a table's text, the numbers dealt out evenly to its data sets."""
    rows = []
    for line in text.strip().splitlines():
        name, config, numbers = (part.strip() for part in line.split('|'))
        values = tuple(float(number) for number in numbers.split())
        size = len(values) // len(data)
        paper = {name: values[k * size : (k + 1) * size] for k, name in enumerate(data)}
        rows.append(Row(name, config, paper))
    return tuple(rows)


_RECALL = ('recall', 'emotion_acc')

TABLES: dict[int, Table] = {
    1: Table(
        'Pretext tasks on user videos and drama',
        tuple(METRICS),
        _rows(_TABLE_1, ('ekman6', 've8', 'perr')),
    ),
    2: Table(
        'Pretext tasks on dialogues and faces',
        tuple(METRICS),
        _rows(_TABLE_2, ('iemocap', 'affwild2')),
    ),
    3: Table(
        'Emotion-oriented masking (Msk) and lexicon verification (Ver)',
        _RECALL,
        _rows(_TABLE_3, ('ekman6',)),
    ),
    4: Table('Masking strategies under MART', _RECALL, _rows(_TABLE_4, ('ekman6',))),
    5: Table('Recovery targets under MART', _RECALL, _rows(_TABLE_5, ('ekman6',))),
    6: Table('MART on other networks, and without labels', tuple(METRICS), _plug_in(_PLUG_IN)),
}


def get_table(number: int) -> Table:
    """A table by its number.

    Raises:
        ValueError: For another number.
    """
    if number not in TABLES:
        raise ValueError(unknown_name('table', str(number), [str(n) for n in TABLES]))
    return TABLES[number]
