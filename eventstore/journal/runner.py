"""Who runs commands: by which deciders, within which limits, and who hears of it."""

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

    *commands* is the number of commands that it takes of a stream at a time, at most;
    *bytes* bounds their data. It decides for *seconds_of_deciding* until it appends,
    gives one command *seconds_of_one_command*, and after *seconds_of_draining* another
    stream has its turn. *conflicts* is the number of times that it decides again after
    another writer was faster; *deaths* is the number of runners that die of a command
    until it counts as failed.

    *interruptions* are the errors that a runner's own time limit raises: they are the
    fault of the command that is decided only if that one took long itself. A runner
    keeps a snapshot of a stream that took it *long_past* events to load, if
    *keeps_snapshots* returns True for its id: one that gets a thousand commands in a
    second grows faster than the snapshot taker can follow.
    """

    commands: int = 100
    bytes: int = 1_000_000
    seconds_of_deciding: float = 1.0
    seconds_of_one_command: float = 5.0
    # Then another stream has its turn; what is left here is told to the caller.
    seconds_of_draining: float = 5.0
    conflicts: int = 5
    deaths: int = 5
    long_past: int = 1_000
    keeps_snapshots: Callable[[str], bool] = lambda _: True
    interruptions: tuple[type[Exception], ...] = ()


class FinishedCommand(NamedTuple):
    """
    A command that is final, and what it took.

    *version* is its stream's after it. *together* were finished by one append, and all
    of them took *seconds*, from the moment they were taken.
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
    """Leave it at what the journal says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """
    What a process needs to run commands.

    *name* is written beside each command that it runs: letters and a process number,
    unique among the processes that live. *may* returns whether a sender may still send
    a type of command; without it, nobody is asked. *report* is called once for each
    command that is final, after its commit.
    """

    deciders: Deciders
    name: str
    limits: Limits = Limits()
    may: May | None = None
    report: Report = report_to_nobody
