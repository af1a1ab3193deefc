"""Files of weights at an address, downloaded once."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlparse

import torch
from mmengine.logging import print_log

from mart_mm.utils.atomic import replacing
from mart_mm.utils.download import download


def fetch(address: str) -> Path:
    """The file at an address, in the folder that torch keeps downloads in.

    It is put there whole or not at all; the folder of each address is its own.

    Args:
        address: ``http://`` or ``https://``.

    Raises:
        OSError: When it cannot be downloaded, with the remedy.
    """
    name = (
        re.sub(r'[^\w.+-]', '_', unquote(PurePosixPath(urlparse(address).path).name)) or 'weights'
    )
    own = hashlib.sha256(address.encode()).hexdigest()[:16]
    target = Path(torch.hub.get_dir()) / 'checkpoints' / 'mart_mm' / own / name
    if target.is_file():
        return target
    print_log(f'downloading {address} to {target}', logger='current')
    try:
        with replacing(target) as temporary:
            download(address, temporary)
    except OSError as error:
        raise OSError(
            f'{address} cannot be downloaded ({error}): get the file by other means and give its path'
        ) from error
    return target
