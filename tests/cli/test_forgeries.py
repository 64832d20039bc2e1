"""What somebody puts into the log past the shop is found, each kind by its words."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

import pytest
from click.testing import CliRunner

from cli.verify import verify as command
from eventstore.ids import event_id_for, origin_of
from eventstore.verifying import ids
from eventstore.verifying.ids import Examiner, Place, place_of
from eventstore.verifying.verify import verify
from tasks.shop.wiring import Shop
from tests.support.desk import Do, alice, cancel, pay, place

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
UNKNOWN = UUID("3b6c0c2e-7a37-4b43-9d55-5a0c59b0c1aa")


@pytest.fixture
def history(shop: Shop, do: Do) -> Shop:
    """A customer, a paid order, and a command that was rejected: nothing is wrong."""
    do(alice, place, pay, pay)
    assert found(shop) == []
    return shop


def found(shop: Shop) -> list[str]:
    with shop.lent() as connection:
        findings = verify(connection, shop.deciders, is_journaled=True).findings
    return [finding.what for finding in findings]


def commands_of(shop: Shop) -> dict[str, str]:
    """Return of each command's type and status its id."""
    with shop.lent() as connection:
        rows = connection.execute("SELECT type, status, id::text FROM commands")
        return {f"{kind} {status}": command_id for kind, status, command_id in rows}


def forge(
    shop: Shop,
    *,
    metadata: Mapping[str, Any] | None = None,
    stream_id: str = "order-1",
    type_: str = "PaymentReceived",
    data: str = '{"amount": 10899}',
    without: str = "",
) -> None:
    """Put an event behind the others, as the owner, with what a forger thinks of."""
    event_id = str(uuid4())
    told = {
        "event_id": event_id,
        "correlation_id": event_id,
        "causation_id": event_id,
        "schema": "1.0",
        "actor": "staff",
        "recorded_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
        **(metadata or {}),
    }
    told.pop(without, None)
    with shop.lent() as connection:
        connection.execute(
            """
            INSERT INTO events (stream_id, type, version, data, metadata, occurred_at)
            SELECT %(stream_id)s::text, %(type)s, coalesce(max(version), 0) + 1,
                %(data)s::text::jsonb, %(metadata)s::text::jsonb, clock_timestamp()
            FROM events WHERE stream_id = %(stream_id)s::text
            """,
            {
                "stream_id": stream_id,
                "type": type_,
                "data": data,
                "metadata": json.dumps(told),
            },
        )


FORGERIES: dict[str, dict[str, Any]] = {
    "its type is unknown": {"type_": "MoneyPrinted"},
    "its data do not fit its type": {"data": '{"amount": "a lot"}'},
    "the version of its shape is unknown": {"metadata": {"schema": "9.0"}},
    "nothing decides on its stream": {"stream_id": "ghost-1"},
    "its metadata are not those of an append": {"without": "recorded_at"},
    "it was not recorded by an append": {
        "metadata": {"recorded_at": "2026-11-24 12:00:00+00"}
    },
    "no command and no import is behind it": {},
    "its id is not that of an import": {"metadata": {"source": "northwind"}},
    "its command is not in the journal": {"metadata": {"command_id": str(UNKNOWN)}},
}


@pytest.mark.parametrize("what", FORGERIES)
def test_a_forged_event_is_found_and_its_fault_is_named(
    history: Shop, what: str
) -> None:
    forge(history, **FORGERIES[what])

    assert what in found(history)


@pytest.mark.parametrize("missing", ["event_id", "correlation_id", "causation_id"])
def test_metadata_without_what_every_append_writes_are_found(
    history: Shop, missing: str
) -> None:
    forge(history, without=missing)

    assert "its metadata are not those of an append" in found(history)


@pytest.mark.parametrize(
    ("whose", "what"),
    [
        ("ReceivePayment succeeded", "its command's position is before it"),
        ("ReceivePayment rejected", "its command is rejected"),
    ],
)
def test_an_event_under_the_command_of_another_is_found(
    history: Shop, whose: str, what: str
) -> None:
    """With all that an append would write, but for the moment that it was."""
    command_id = UUID(commands_of(history)[whose])
    with history.lent() as connection:
        ((told, ended),) = connection.execute(
            """
            SELECT metadata, to_char(
                finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'
            )
            FROM commands WHERE id = %s
            """,
            (command_id,),
        ).fetchall()
    forge(
        history,
        metadata={
            "event_id": str(event_id_for(command_id, 1)),
            "causation_id": str(command_id),
            "correlation_id": told["correlation_id"],
            "command_id": str(command_id),
            "actor": told["actor"],
            "recorded_at": ended,
        },
    )

    assert found(history) == [what]


CHANGES = {
    "event_id": (str(uuid5(UNKNOWN, "0")), "its id is not the one that its command"),
    "causation_id": (str(UNKNOWN), "its cause is not its command"),
    "correlation_id": (str(UNKNOWN), "its command has another conversation or actor"),
    "actor": ("mallory", "its command has another conversation or actor"),
    "recorded_at": (
        "2020-01-01T00:00:00.000000Z",
        "it was not recorded when its command was finished",
    ),
}


@pytest.mark.parametrize("field", CHANGES)
def test_metadata_that_were_changed_before_they_were_sealed_are_found(
    history: Shop, field: str
) -> None:
    value, what = CHANGES[field]
    with history.lent() as connection:
        connection.execute("ALTER TABLE events DISABLE TRIGGER events_refuse_change")
        connection.execute(
            "UPDATE events SET metadata = metadata || jsonb_build_object(%s::text, "
            " %s::text) WHERE stream_id = 'order-1' AND version = 2",
            (field, value),
        )

    assert [f for f in found(history) if f.startswith(what)]


def test_the_command_says_so(history: Shop, do: Do) -> None:
    do(cancel)
    assert "nothing is wrong" in CliRunner().invoke(command).output
    forge(history, type_="MoneyPrinted")
    told = CliRunner().invoke(command)

    assert told.exit_code == 1
    assert "order-1 version 4: its type is unknown" in told.output
    assert "order-1 version 4: no command and no import is behind it" in told.output


def row(position: int, command_id: UUID, event_id: UUID, at: datetime) -> Any:
    return ids._Row(
        position=position,
        stream_id="order-1",
        version=position,
        event_id=str(event_id),
        command_id=str(command_id),
        is_imported=False,
        recorded_at=f"{at:%Y-%m-%dT%H:%M:%S.%fZ}",
        is_in_journal=False,
        pruning=None,
    )


def test_what_hides_behind_a_pruning_is_found() -> None:
    """Its command was pruned, it says, and it stands behind what is younger."""
    examiner = Examiner([(1, NOW)])
    one, other, forged = uuid4(), uuid4(), uuid4()
    long_ago, lately = NOW - timedelta(days=30), NOW + timedelta(days=3)

    assert examiner.fault_of(row(1, one, event_id_for(one, 0), long_ago)) is None
    assert examiner.fault_of(row(2, other, event_id_for(other, 0), lately)) is None
    late = examiner.fault_of(row(3, forged, event_id_for(forged, 0), long_ago))
    assert late is not None
    assert "cannot have been pruned" in late


def test_events_of_a_command_stand_in_their_order() -> None:
    examiner = Examiner([])
    one = uuid4()

    assert examiner.fault_of(row(1, one, event_id_for(one, 0), NOW)) is None
    assert examiner.fault_of(row(2, one, event_id_for(one, 1), NOW)) is None
    again = examiner.fault_of(row(3, one, event_id_for(one, 1), NOW))
    assert again == "it is not in its place among the events of its command"


def test_the_id_of_a_command_that_came_again_after_a_pruning_is_known() -> None:
    examiner = Examiner([(1, NOW), (2, NOW)])
    one = uuid4()
    event_id = event_id_for(origin_of(one, 2), 0)

    assert examiner.fault_of(row(1, one, event_id, NOW)) is None


def test_a_part_of_an_event_that_a_copy_has_split_has_its_place() -> None:
    origin = uuid4()
    second = event_id_for(event_id_for(origin, 3), 1)

    assert place_of(second, [origin], Place(3)) == Place(3, 1)
    assert place_of(uuid4(), [origin], None) is None
