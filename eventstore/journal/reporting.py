"""What a drain reports of a command that is final: facts, and nobody's data."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple
from uuid import UUID

import msgspec

from eventstore.journal.deciding import Decided


class Finished(NamedTuple):
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


Report = Callable[[Finished], None]


def report_to_nobody(_: Finished) -> None:
    """Leave it at what the journal says."""


def finished(
    stream_id: str, version: int, decided: Iterable[Decided], seconds: float
) -> Iterator[Finished]:
    """Yield what there is to say of *decided*, appended to a stream at *version*."""
    all_of_them = list(decided)
    for command, decision in all_of_them:
        version += len(decision.events)
        error = decision.outcome.error or {}
        yield Finished(
            command_id=command.id,
            type=command.type,
            stream_id=stream_id,
            version=version,
            status=decision.outcome.status,
            # A rule's or an error's name: what it says may quote what was sent.
            why=error.get("rule") or error.get("error"),
            correlation_id=msgspec.json.decode(command.metadata)["correlation_id"],
            attempts=command.attempts,
            conflicts=command.conflicts,
            together=len(all_of_them),
            seconds=seconds,
        )
