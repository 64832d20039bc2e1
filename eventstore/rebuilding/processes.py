"""Several processes that fill the parts of a generation, and end with their parent."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from multiprocessing.connection import Connection as Pipe
from typing import Any

import psycopg

from eventstore.encryption.keys import MasterKeys
from eventstore.errors import RebuildFailed
from eventstore.rebuilding.filling import filling_of, find_checkpoints, read_up_to
from eventstore.rebuilding.parts import Part

Connect = Callable[[], AbstractContextManager[psycopg.Connection[Any]]]
"""Opens another session to the same database, in autocommit; `with` closes it."""

SECONDS_BETWEEN_LOOKS = 0.2
SECONDS_TO_END = 5.0
NICE = 5
"""What serves the shop goes first."""


class ParentEnded(BaseException):
    """The process that wanted the parts is gone."""


def fill_in_processes(
    connection: psycopg.Connection[Any],
    connect: Connect,
    parts: Sequence[Part],
    goal: int,
    show: Callable[[float], None],
    *,
    masters: MasterKeys | None = None,
    live: str | None = None,
) -> None:
    """
    Fill all *parts* up to the position *goal*, each in a process of its own.

    *show* gets the mean of their checkpoints now and then. Raises RebuildFailed where
    one of them fails; the others are ended then.
    """
    context = multiprocessing.get_context("fork")
    names = [part.name for part in parts]
    running = []
    try:
        for part in parts:
            reads, writes = context.Pipe(duplex=False)
            process = context.Process(
                target=run_part,
                args=(connect, part, goal, masters, live, os.getpid(), writes),
                daemon=True,
            )
            process.start()
            writes.close()
            running.append((process, reads))
        while True:
            is_over = all(not process.is_alive() for process, _ in running)
            for process, reads in running:
                if not process.is_alive() and process.exitcode:
                    raise RebuildFailed(
                        parts[0].projection.name, reason_of(process.exitcode, reads)
                    )
            show(sum(find_checkpoints(connection, names).values()) / len(names))
            if is_over:
                return
            for process, _ in running:
                if process.is_alive():
                    process.join(SECONDS_BETWEEN_LOOKS)
                    break
    finally:
        for process, _ in running:
            process.terminate()
        for process, reads in running:
            process.join(SECONDS_TO_END)
            process.kill()
            process.join()
            process.close()
            reads.close()


def reason_of(exitcode: int, reads: Pipe) -> str:
    with suppress(EOFError, OSError):
        if reads.poll():
            return str(reads.recv())
    return f"a process that filled a part of it ended with {exitcode}"


def run_part(
    connect: Connect,
    part: Part,
    goal: int,
    masters: MasterKeys | None,
    live: str | None,
    parent: int,
    writes: Pipe,
) -> None:
    """Fill a part; end as soon as the parent has ended."""
    # Of Ctrl-C the parent decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(OSError):
        os.nice(NICE)

    def look_at_parent(_: int) -> None:
        if os.getppid() != parent:
            raise ParentEnded

    try:
        with connect() as connection:
            read_up_to(
                connection, filling_of(part, masters), goal, look_at_parent, live
            )
    except ParentEnded:
        os._exit(1)
    except Exception as error:
        cause = error if not isinstance(error, RebuildFailed) else error.reason
        writes.send(f"{cause}")
        os._exit(1)
