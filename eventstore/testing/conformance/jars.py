"""What the checks are about: jars that coins are put into."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID, uuid4

import msgspec

from eventstore.aggregates.decider import Decider, Deciders
from eventstore.claims import ClaimKey
from eventstore.encryption.keys import MasterKeys
from eventstore.log.codec import EventCodec
from eventstore.log.events import Metadata, NewEvent, RecordedEvent
from eventstore.store import Store

RED = "jar-red"
BLUE = "jar-blue"
PURSE = "purse-1"
MAX_COUNT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class CoinPut:
    amount: int
    giver: str = field(default="", metadata={"personal": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class JarNamed:
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GiverForgotten:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class PutCoin:
    jar: str
    amount: int
    giver: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PutCoinIfEmpty:
    """Put a coin into a jar, if the *other* one has none."""

    jar: str
    amount: int
    other: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NameJar:
    jar: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetGiver:
    jar: str


JarEvent = CoinPut | JarNamed | GiverForgotten
JarCommand = PutCoin | PutCoinIfEmpty | NameJar | ForgetGiver


@dataclass(frozen=True, slots=True)
class Jar:
    """A jar, as its events so far leave it."""

    total: int = 0
    name: str | None = None
    giver: str = field(default="", metadata={"personal": True})


class JarRejection(Exception):
    """A rule of the jars says no."""


class JarFull(JarRejection):
    """The coin does not fit."""


class NameTaken(JarRejection):
    """Another jar has this name."""


@dataclass(frozen=True, slots=True)
class Name:
    """A jar's name, which no other has."""

    value: str
    scope: str = "name"
    taken: type[Exception] = NameTaken


def decide(
    jar: Jar, command: JarCommand, *, other: Jar | None = None
) -> Sequence[JarEvent]:
    match command:
        case NameJar():
            return [JarNamed(name=command.name)]
        case ForgetGiver():
            return [GiverForgotten()]
        case _ if jar.total + command.amount > MAX_COUNT or (other and other.total):
            raise JarFull
        case PutCoin():
            return [CoinPut(amount=command.amount, giver=command.giver)]
        case PutCoinIfEmpty():
            return [CoinPut(amount=command.amount)]


def evolve(jar: Jar, event: JarEvent) -> Jar:
    match event:
        case CoinPut():
            return replace(jar, total=jar.total + event.amount, giver=event.giver)
        case JarNamed():
            return replace(jar, name=event.name)
        case GiverForgotten():
            return jar


def reads(command: JarCommand) -> Mapping[str, str]:
    if isinstance(command, PutCoinIfEmpty):
        return {"other": f"jar-{command.other}"}
    return {}


def claims(jar: Jar) -> Iterable[Name]:
    return [] if jar.name is None else [Name(jar.name)]


DECIDER = Decider(
    category="jar",
    initial=Jar(),
    decide=decide,
    evolve=evolve,
    events=EventCodec([CoinPut, JarNamed, GiverForgotten]),
    commands=[PutCoin, PutCoinIfEmpty, NameJar, ForgetGiver],
    rejection=JarRejection,
    identity="jar",
    reads=reads,
    claims=claims,
    forgets=[GiverForgotten],
)
JARS = Deciders([DECIDER], claim_key=ClaimKey(b"of the checks"))
ENCRYPTED = replace(JARS, masters=MasterKeys(b"of no use outside of the checks!"))


def coin(
    amount: int = 1,
    *,
    event_id: UUID | None = None,
    occurred_at: datetime | None = None,
) -> NewEvent:
    """Return a new event: a coin of this amount was put into a jar."""
    event_id = event_id or uuid4()
    return NewEvent(
        type="CoinPut",
        data=f'{{"amount": {amount}}}',
        metadata=Metadata(
            event_id=event_id,
            correlation_id=event_id,
            causation_id=event_id,
            schema="1.0",
            actor="alice",
        ),
        occurred_at=occurred_at,
    )


def put(store: Store, stream_id: str, *amounts: int) -> list[int]:
    """Append coins to a stream, and return their positions."""
    version = store.version(stream_id)
    done = store.append(
        [(stream_id, coin(amount)) for amount in amounts],
        expected={stream_id: version},
    )
    return [appended.position for appended in done]


def amounts(events: Iterable[RecordedEvent]) -> list[int]:
    """Return the amounts of recorded coins, in their order."""
    return [msgspec.json.decode(event.data)["amount"] for event in events]


def amounts_in(store: Store, stream_id: str) -> list[int]:
    return amounts(store.read_stream(stream_id))
