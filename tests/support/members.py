"""A small application with claims: members of a club, each with a name of their own."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import msgspec
import psycopg

from eventstore.aggregates.command_handler import Outcome, handle
from eventstore.aggregates.decider import Decider, Deciders
from eventstore.claims import ClaimChange, ClaimKey
from eventstore.journal.accept import accept
from eventstore.log.codec import EventCodec
from tests.support.engine import SECRET, Engine

NAMES = "member-name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """Become a member, under a name."""

    member_id: str
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rename:
    """Take another name, or none."""

    member_id: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A member, as its events so far leave it."""

    is_one: bool = False
    name: str | None = None


class MemberRejection(Exception):
    """A rule of the club says no."""


class NameTaken(MemberRejection):
    """Another member has that name."""

    def __init__(self) -> None:
        self.figures: dict[str, int] = {}
        super().__init__("Another member has that name.")


class NameClaim(NamedTuple):
    """The name of a member is theirs alone."""

    value: str
    scope: str = NAMES
    taken: type[Exception] = NameTaken


def decide(member: Member, command: Join | Rename) -> list[Named]:
    if isinstance(command, Join) is member.is_one:
        raise MemberRejection("Joined already, or not yet.")
    return [Named(name=command.name)]


def evolve(member: Member, event: Named) -> Member:
    return Member(is_one=True, name=event.name)


def claims(member: Member) -> Iterator[NameClaim]:
    if member.name is not None:
        yield NameClaim(member.name)


def members(decide: Callable[..., Sequence[Any]] = decide) -> Deciders:
    """Return the deciders of the club, perhaps with another *decide*."""
    member = Decider(
        category="member",
        initial=Member(),
        decide=decide,
        evolve=evolve,
        events=EventCodec([Named]),
        commands=[Join, Rename],
        rejection=MemberRejection,
        invalid=msgspec.ValidationError,
        read_command=lambda kind, data: msgspec.convert(data, kind),
        identity="member_id",
        claims=claims,
    )
    return Deciders([member]).keyed(SECRET)


MEMBERS = members()


@dataclass(frozen=True, slots=True)
class Club:
    """The club on the engine of a test; *statements* counts what an append claims."""

    engine: Engine
    deciders: Deciders = field(default_factory=members)

    def accept(self, *commands: Any) -> list[UUID]:
        """Accept commands, each under a key of its own."""
        decider = self.deciders.all[0]
        return [
            accept(
                self.engine.connection,
                command,
                decider=decider,
                principal="alice",
                key=str(uuid4()),
                secret=SECRET,
            ).command_id
            for command in commands
        ]

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
