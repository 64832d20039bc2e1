"""What tests of claims share: a club where names are unique, and claims without it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from eventstore.aggregates.command_handler import Outcome, handle
from eventstore.aggregates.decider import Deciders
from eventstore.claims import ClaimChange, ClaimKey
from tests.support.engine import SECRET, Engine
from tests.support.members import NAMES, UNIQUE_MEMBERS, NameClaim


@dataclass(frozen=True, slots=True)
class UniqueNames:
    """The club on the engine of a test, and whose each name is."""

    engine: Engine
    deciders: Deciders = UNIQUE_MEMBERS

    def accept(self, *commands: Any) -> list[UUID]:
        """Accept commands, each under a key of its own."""
        (decider,) = self.deciders.all
        return [self.engine.accept(command, decider=decider) for command in commands]

    def run(self, *commands: Any) -> list[str]:
        """Accept commands to one member, drain them together, and tell their ends."""
        ids = self.accept(*commands)
        self.engine.drain(ids[0], deciders=self.deciders)
        return self.engine.statuses(*ids)

    def handle(self, command: Any) -> Outcome:
        """Handle a command at once, without the journal."""
        return handle(
            self.engine.connection,
            command,
            stream_id=f"member-{command.member_id}",
            deciders=self.deciders,
            actor="alice",
        )

    def owners(self) -> dict[str, str]:
        """Return whose each name is, for the names that this club knows of."""
        rows = self.engine.connection.execute(
            "SELECT keyed_hash, stream_id FROM unique_claims WHERE scope = %s", (NAMES,)
        ).fetchall()
        return {names_by_hash().get(h, "?"): stream_id for h, stream_id in rows}


def hash_of(name: str) -> bytes:
    return ClaimKey(SECRET).hash_of(NameClaim(name))


def names_by_hash() -> dict[bytes, str]:
    return {hash_of(name): name for name in ("Ann", "Bob", "Cid", "Dot", "Eve")}


def claim(
    name: str,
    stream_id: str,
    *,
    command_id: UUID | None = None,
    is_released: bool = False,
) -> ClaimChange:
    """Return what the append is told of a name, as somebody without deciders does."""
    return ClaimChange(NAMES, hash_of(name), stream_id, command_id, is_released)


def statements(connection: psycopg.Connection[Any]) -> list[str]:
    """Return the list that will have the statements this connection executes next."""
    sent: list[str] = []
    execute = connection.execute

    def counted(query: Any, *arguments: Any, **options: Any) -> Any:
        sent.append(str(query))
        return execute(query, *arguments, **options)

    connection.execute = counted  # type: ignore[method-assign]
    return sent
