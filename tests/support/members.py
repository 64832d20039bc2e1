"""
A small application with personal data, unique names and old events: members of a club.

Counters (`tests/support/engine.py`) are enough where none of these matters.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, NamedTuple

from eventstore.aggregates.decider import Decider, Deciders
from eventstore.log.codec import EventCodec
from eventstore.log.upcasting import Upcasters, VersionedData
from tests.support.engine import SECRET

NAMES = "member-name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """Somebody became a member; version 1 had no level."""

    schema_version: ClassVar[str] = "2.0"

    name: str | None = field(metadata={"personal": True})
    level: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Renamed:
    name: str | None = field(metadata={"personal": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    hours: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """Become a member, under a name."""

    member_id: str
    name: str | None = field(default=None, metadata={"personal": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rename:
    """Take another name, or none."""

    member_id: str
    name: str | None = field(default=None, metadata={"personal": True})


@dataclass(frozen=True, slots=True)
class Member:
    """A member, as its events so far leave it."""

    is_one: bool = False
    name: str | None = field(default=None, metadata={"personal": True})


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


def decide(member: Member, command: Join | Rename) -> list[Joined | Renamed]:
    if isinstance(command, Join) is member.is_one:
        raise MemberRejection("Joined already, or not yet.")
    kind = Joined if isinstance(command, Join) else Renamed
    return [kind(name=command.name)]


def evolve(member: Member, event: Any) -> Member:
    match event:
        case Joined(name=name) | Renamed(name=name):
            return Member(is_one=True, name=name)
        case _:
            return member


def claims(member: Member) -> Iterator[NameClaim]:
    if member.name is not None:
        yield NameClaim(member.name)


def split(data: dict[str, Any]) -> Sequence[VersionedData]:
    """A month was what was paid and what was trained, and of an empty one nothing."""
    parts = (("Paid", "amount"), ("Trained", "hours"))
    return [VersionedData(type_, 1, {n: data[n]}) for type_, n in parts if data[n]]


UPCASTERS: Upcasters = {
    ("Joined", 1): lambda data: {**data, "level": 0},
    ("Month", 1): split,
}
MEMBER = Decider(
    category="member",
    initial=Member(),
    decide=decide,
    evolve=evolve,
    events=EventCodec([Joined, Renamed, Paid, Trained], UPCASTERS),
    commands=[Join, Rename],
    rejection=MemberRejection,
    identity="member_id",
)
"""The club before names were unique: it claims nothing."""


def unique_members(decide: Callable[..., Sequence[Any]] = decide) -> Deciders:
    """Return deciders that claim names, perhaps with another *decide*."""
    return Deciders([replace(MEMBER, decide=decide, claims=claims)]).keyed(SECRET)


UNIQUE_MEMBERS = unique_members()
