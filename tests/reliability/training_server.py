"""Starts training processes that share one import: a child is forked for each, and really killed.

Reads requests from the standard input, a JSON object a line, and answers each with one. A child calls
what ``tools/train.py`` calls.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import mmengine.config.config
import mmengine.runner.runner
from mmengine.registry import Registry
from training_faults import Fault

import tools.train
from mart_mm import registry


def warm_up() -> None:
    """Do once what each run would do again: imports, and what MMEngine asks of the machine."""
    import_module('mart_mm.apis.run')
    for value in vars(registry).values():
        if isinstance(value, Registry):
            value.import_from_location()
    environment = mmengine.runner.runner.collect_env()
    mmengine.runner.runner.collect_env = lambda: environment
    mmengine.config.config.FormatCode = lambda text, **_: (text, True)


def become(request: dict) -> int:
    """The child: train with these arguments, environment and fault."""
    log = os.open(request['log'], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream, target in ((os.open(os.devnull, os.O_RDONLY), 0), (log, 1), (log, 2)):
        os.dup2(stream, target)
    os.setpgid(0, 0)
    os.environ.update(request['environment'])
    if request['fault']:
        Fault(**request['fault'])
    return tools.train.main(request['arguments'])


def serve() -> None:
    """Until the input ends."""
    for line in sys.stdin:
        request = json.loads(line)
        if 'poll' in request:
            pid, status = os.waitpid(request['poll'], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        else:
            answer = os.fork()
            if not answer:
                sys.exit(become(request))
        print(json.dumps(answer), flush=True)


if __name__ == '__main__':
    warm_up()
    print(json.dumps('ready'), flush=True)
    serve()
