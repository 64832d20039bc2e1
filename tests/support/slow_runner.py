"""
A process that drains one stream of counters, and takes its time to decide.

`python -m tests.support.slow_runner URL COMMAND SECONDS` says `deciding` when it holds
the stream, and then how it ended: the number of commands that it finished, or the name
of an error.
"""

import sys
import time
from typing import Any
from uuid import UUID

from eventstore.errors.refusals import is_lost_connection
from eventstore.journal.drain import drain
from eventstore.journal.runner import Runner
from tests.support.engine import connect, meanwhile


def main(url: str, command_id: str, seconds: str) -> None:
    def take_time(_: Any) -> None:
        print("deciding", flush=True)
        time.sleep(float(seconds))

    try:
        drained = drain(
            connect(url),
            [UUID(command_id)],
            Runner(deciders=meanwhile(take_time), name="slow"),
        )
    except Exception as error:
        lost = "lost" if is_lost_connection(error) else "not lost"
        print(lost, type(error).__name__, flush=True)
    else:
        print(drained.finished, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
