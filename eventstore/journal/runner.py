"""A runner of commands: its deciders, its limits and its report."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from eventstore.access.senders import May
from eventstore.aggregates.decider import Deciders


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """
    The bounds of one drain.

    *commands* is the number of commands that a take leases of one stream, at most;
    *bytes* bounds their data. *max_conflict_retries* is the number of conflicts in a
    row after which a command waits for its backoff; *deaths* is the number of runners
    that die of a command until it is failed. Deciding stops after *seconds_of_deciding*
    to append what is decided so far; after *seconds_of_draining* other streams have
    their turn, and what is left is returned to the caller.

    *interruptions* are the errors that a runner's own time limit raises. They fail a
    command only if it took *seconds_of_one_command* itself. A stream that took more
    than *long_past* events to load gets a snapshot at once if *keeps_snapshots* returns
    True for its id: one with a thousand commands a second grows faster than the
    scheduled snapshots follow.
    """

    commands: int = 100
    bytes: int = 1_000_000
    seconds_of_deciding: float = 1.0
    seconds_of_one_command: float = 5.0
    seconds_of_draining: float = 5.0
    max_conflict_retries: int = 5
    deaths: int = 5
    long_past: int = 1_000
    keeps_snapshots: Callable[[str], bool] = lambda _: True
    interruptions: tuple[type[Exception], ...] = ()


class FinishedCommand(NamedTuple):
    """
    A command that is final, and what it took.

    *version* is its stream's after it. *status* is the text `succeeded`, `rejected` or
    `failed`; *why* is the type of the rule or the error behind that, else None.
    *correlation_id* is the id of the request that all this follows from. *attempts* is
    the number of times that a runner took it, *conflicts* the number of times that
    another writer was faster. *together* is the number of commands that one append
    finished, and all of them took *seconds*, from the moment they were taken.
    """

    command_id: UUID
    type: str
    stream_id: str
    version: int
    status: str
    why: str | None
    correlation_id: str
    attempts: int
    conflicts: int
    together: int
    seconds: float


Report = Callable[[FinishedCommand], None]


def report_to_nobody(_: FinishedCommand) -> None:
    """The default of `report`: do nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """
    What a process needs to run commands.

    *name* is text, written beside each command that it runs: letters and a process
    number, unique among live processes. *may* returns whether a sender may still send a
    type of command; without it, it is not checked. *report* is called once for each
    final command, after its commit.
    """

    deciders: Deciders
    name: str
    limits: Limits = Limits()
    may: May | None = None
    report: Report = report_to_nobody
