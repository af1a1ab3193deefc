"""One of several processes that use a lexicon."""

from __future__ import annotations

import warnings

from mart_mm.lexicon.file_lexicon import FileLexicon
from mart_mm.lexicon.matching import find_concepts


def words_found(source: str, folder: str, text: str) -> list[str]:
    """Words of a text; a warning of the lexicon is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter('error', UserWarning)
        return [match.word for match in find_concepts(text, FileLexicon(source, folder))]
