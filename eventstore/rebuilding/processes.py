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
from eventstore.errors.rebuilding import FillingBrokeOff
from eventstore.errors.refusals import is_lost_connection
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

    *show* gets the mean of their checkpoints now and then. Where one of them fails, the
    others are ended. Raises FillingBrokeOff where the next try can go on, since one was
    killed or lost the database, and RebuildFailed for anything else.
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
                    raise failure_of(parts[0].projection.name, process.exitcode, reads)
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


def failure_of(name: str, exitcode: int, reads: Pipe) -> RebuildFailed:
    """Return why a process has ended with *exitcode*; *reads* is where it says so."""
    with suppress(EOFError, OSError):
        if reads.poll():
            reason, is_kept = reads.recv()
            return (FillingBrokeOff if is_kept else RebuildFailed)(name, reason)
    # It could not say anything: somebody killed it, or the system for its memory.
    how = f"was killed by signal {-exitcode}" if exitcode < 0 else f"ended: {exitcode}"
    return FillingBrokeOff(name, f"a process that filled a part of it {how}")


def reason_of(error: Exception) -> str:
    """Return what the parent says of an error, in an error of its own."""
    match error:
        case FillingBrokeOff():
            return error.why
        case RebuildFailed():
            return error.reason
        case _:
            return str(error)


def is_passing(error: BaseException) -> bool:
    """
    Return whether a filling that has failed with *error* can go on later.

    The database was away, a lock was not free, or memory ran out. Where its disk is
    full, that is no reason to keep anything on it.
    """
    cause = error.__cause__ if isinstance(error, RebuildFailed) else error
    if isinstance(error, FillingBrokeOff) or isinstance(cause, MemoryError):
        return True
    is_full = isinstance(cause, psycopg.errors.DiskFull)
    return isinstance(cause, Exception) and is_lost_connection(cause) and not is_full


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

    def look_at_parent() -> None:
        if os.getppid() != parent:
            raise ParentEnded

    try:
        with connect() as connection:
            read_up_to(
                connection,
                filling_of(part, masters),
                goal,
                lambda _: None,
                live,
                check=look_at_parent,
            )
    except ParentEnded:
        os._exit(1)
    except Exception as error:
        writes.send((reason_of(error), is_passing(error)))
        os._exit(1)
