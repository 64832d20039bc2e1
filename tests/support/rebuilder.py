"""A process that rebuilds the counters, and tells each step: to be killed."""

import sys

import psycopg

from eventstore.errors import RebuildFailed
from eventstore.rebuilding import filling
from eventstore.rebuilding.progress import Progress
from eventstore.rebuilding.rebuild import rebuild
from tests.support.totals import totals


def main(url: str, processes: str, batch: str) -> None:
    filling.BATCH = int(batch)
    with psycopg.connect(url, autocommit=True) as connection:
        try:
            rebuilt = rebuild(
                connection, totals, show=show, say=say, processes=int(processes)
            )
        except RebuildFailed as error:
            print(f"failed: {error}", flush=True)
            sys.exit(1)
    print(f"live {rebuilt.generation}", flush=True)


def show(progress: Progress) -> None:
    print(f"{progress.phase} {progress.done} {progress.total}", flush=True)


def say(sentence: str) -> None:
    print(f"said {sentence}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
