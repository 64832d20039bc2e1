"""Commands by chance, each tried first and then really sent: what both say."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from random import Random
from typing import Any
from uuid import uuid4

import msgspec

from domain.customers.commands import RegisterCustomer
from domain.products.commands import AddProduct
from eventstore.aggregates.decider import category_of
from eventstore.journal import entries
from eventstore.journal.entries import Entry
from eventstore.journal.take import find_waiting
from eventstore.log.codec import recorded_schema
from eventstore.log.events import Metadata, RecordedEvent
from eventstore.log.read import read_stream
from eventstore.personal.keyring import Keyring
from tasks import catch_up, commands
from tasks.accept import accept
from tasks.shop.wiring import Shop
from tests.support.command_histories import PEOPLE, random_commands
from webapp.json_values import as_json
from webapp.trying.asking import MODELS, try_command

EMAILS = [f"{name.lower()}@example.com" for name in PEOPLE]
UNNUMBERED = "0"
TIME = re.compile(r"\d{4}-\d\d-\d\dT.+\+00:00")
NOW = "now"
"""What stands for a time, which comes later in the run than in the trial."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """
    What a command causes, in a form in which a trial and its run can be equal.

    *events* have their type, schema, version and data; *follows* the type, the stream
    and the days until it is due of each command that process managers send.
    """

    status: str
    error: Any
    stream_id: str
    events: Sequence[Any]
    row: Any
    follows: Sequence[Any]


def sent_by_chance(random: Random, number: int) -> Iterator[tuple[Any, int | None]]:
    """Yield commands of a shop, each with the version that its sender has seen."""
    for command in random_commands(random, number):
        # Who makes the commands counts the orders; of others numbers do not matter.
        if random.random() < 0.08:
            email = random.choice([None, *EMAILS, f"n{random.randrange(10**9)}@x.com"])
            yield RegisterCustomer(name="Dora", email=email), None
        if random.random() < 0.03:
            yield AddProduct(name="Röd Kaviar", unit_price=777, currency="EUR"), None
        yield command, random.choice([None] * 9 + [random.randrange(6)])


def try_it(shop: Shop, command: Any, seen: int | None) -> Answer:
    """Return what a trial says that the command would cause."""
    began = datetime.now(UTC)
    tried = try_command(shop, command, principal="local", expected_version=seen)
    preview = tried.preview
    assert preview.waiting == 0
    assert tried.row is not None
    assert not tried.row.is_old
    return Answer(
        status=preview.outcome.status,
        error=without_code(preview.outcome.error),
        stream_id=preview.stream_id,
        events=[event_as(event.recorded) for event in preview.events],
        row=row_as(tried.row.after, began, tried.category),
        follows=sorted(
            (type(one.command).__name__, one.stream_id, days(one.not_before, began))
            for one in tried.follows
        ),
    )


def do_it(shop: Shop, command: Any, seen: int | None) -> Answer:
    """Send the command, run it and what follows; return what it has caused."""
    began = datetime.now(UTC)
    entry = send(shop, command, seen)
    gets_number = shop.deciders.of_command(type(command)).stream_of(command) is None
    place = unnumbered(entry.stream_id) if gets_number else entry.stream_id
    own = caused_by(shop, entry)
    catch_up.run(shop)
    answer = Answer(
        status=entry.status,
        error=without_code(entry.error),
        stream_id=place,
        events=[event_as(event) for event in own],
        row=find_row(shop, entry.stream_id, began, gets_number=gets_number),
        follows=sorted(
            (type_, place if about == entry.stream_id else about, wait)
            for type_, about, wait in find_follow_ups(shop, own, began)
        ),
    )
    run_what_waits(shop)
    return answer


def send(shop: Shop, command: Any, seen: int | None = None) -> Entry:
    """Accept a command and run it; the read models lag behind."""
    accepted = accept(
        shop, command, key=str(uuid4()), principal="local", expected_version=seen
    )
    commands.run(shop, [accepted.command_id])
    with shop.engine.connect() as connection:
        entry = entries.find(connection, accepted.command_id)
    assert entry is not None
    return entry


def run_what_waits(shop: Shop) -> None:
    """Run what has followed, and what follows that."""
    while True:
        with shop.lent() as connection:
            waiting = find_waiting(connection, patience=0, most=100)
        if not waiting:
            return
        commands.run(shop, [command_id for _, command_id in waiting])
        catch_up.run(shop)


def caused_by(shop: Shop, entry: Entry) -> list[RecordedEvent]:
    """Return the events of a command, with their personal fields."""
    with shop.lent() as connection:
        events = read_stream(connection, entry.stream_id)
        own = [one for one in events if metadata_of(one).command_id == entry.id]
        keyring = Keyring(connection, shop.deciders.masters)
        return list(keyring.decrypt_events(own))


def find_follow_ups(
    shop: Shop, events: Sequence[RecordedEvent], began: datetime
) -> list[tuple[str, str, int | None]]:
    """Return the commands that process managers have sent because of *events*."""
    causes = [str(metadata_of(event).event_id) for event in events]
    with shop.lent() as connection:
        rows = connection.execute(
            """
            SELECT type, stream_id, not_before FROM commands
            WHERE principal LIKE 'process:%%' AND metadata ->> 'causation_id' = ANY (%s)
            """,
            (causes,),
        ).fetchall()
    return [
        (type_, stream_id, days(moment, began)) for type_, stream_id, moment in rows
    ]


def find_row(
    shop: Shop, stream_id: str, began: datetime, *, gets_number: bool
) -> dict[str, Any] | None:
    """Return the row of a stream as its read model has it."""
    category, _, name = stream_id.partition("-")
    model = MODELS[category]
    key = model.view.table.c[model.projection.key]
    wanted = int(name) if model.view.hints[model.projection.key] is int else name
    with shop.engine.connect() as connection:
        rows = model.view.find(connection, key == wanted)
    return row_as(rows[0] if rows else None, began, category, is_new=gets_number)


def row_as(
    row: Any, began: datetime, category: str, *, is_new: bool = False
) -> dict[str, Any] | None:
    """Return the columns that readers see, without what is known only afterwards."""
    if row is None:
        return None
    model = MODELS[category]
    shown = {
        field.name: timeless(as_json(getattr(row, field.name)), began)
        for field in fields(model.view.row)
        if field.name != "history"
    }
    if is_new:
        shown[model.projection.key] = type(shown[model.projection.key])(UNNUMBERED)
    return shown


def timeless(value: Any, began: datetime) -> Any:
    """Return plain *value* with a word for what happens from *began* on."""
    match value:
        case str() if TIME.fullmatch(value):
            return value if datetime.fromisoformat(value) < began else NOW
        case list():
            return [timeless(part, began) for part in value]
        case dict():
            return {name: timeless(part, began) for name, part in value.items()}
    return value


def event_as(event: RecordedEvent) -> tuple[Any, ...]:
    data = msgspec.json.decode(event.data)
    return event.type, recorded_schema(event), event.version, data


def metadata_of(event: RecordedEvent) -> Metadata:
    return msgspec.json.decode(event.metadata, type=Metadata)


def days(moment: datetime | None, began: datetime) -> int | None:
    return None if moment is None else (moment - began).days


def unnumbered(stream_id: str) -> str:
    return f"{category_of(stream_id)}-{UNNUMBERED}"


def without_code(error: Any) -> Any:
    """Return an error without lines of code: a worker comes there by others."""
    return error and {name: error[name] for name in error if name != "traceback"}
