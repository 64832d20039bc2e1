"""`recount stream show`: what happened in a stream, as of any moment, and its state."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result

from cli import stream
from domain.customers.commands import ForgetCustomer
from eventstore.log.append import append
from eventstore.log.events import Metadata, NewEvent
from tasks.shop.wiring import Shop
from tests.support.desk import Do, return_one_clock
from tests.support.visiting import ALICE, Place, Send, Work, in_days, written
from webapp.formats import moment_in

ID = UUID("6f1d2c0e-6d0b-5c52-9c34-1d1f5f0e8a11")
BERLIN = ZoneInfo("Europe/Berlin")


def changed(day: int, phone: str, type_: str = "CustomerDetailsChanged") -> NewEvent:
    """Return a change of details that was made at noon of a day of July 1996, UTC."""
    return NewEvent(
        type=type_,
        data=json.dumps({"name": "Alice", "phone": phone}),
        metadata=Metadata(
            event_id=ID,
            correlation_id=ID,
            causation_id=ID,
            schema="1.0",
            actor="bob",
            source="northwind",
        ),
        occurred_at=datetime(1996, 7, day, 12, tzinfo=UTC),
    )


@pytest.fixture
def history(shop: Shop) -> Shop:
    """A customer of an import: registered on the 4th, changed on the 5th and 8th."""
    shop.settings = replace(shop.settings, timezone=BERLIN)
    events = [
        changed(4, "555-4", "CustomerRegistered"),
        changed(5, "555-5"),
        changed(8, "555-8"),
    ]
    with shop.lent() as connection:
        append(
            connection,
            [("customer-ALICE", event) for event in events],
            expected={"customer-ALICE": 0},
        )
    return shop


def look(*arguments: str) -> Result:
    return CliRunner().invoke(stream, ["show", "customer-ALICE", *arguments])


def phone(*arguments: str) -> str | None:
    """Return the telephone number in the state that is shown."""
    result = look("--json", *arguments)
    assert result.exit_code == 0, result.output
    state = json.loads(result.stdout)["state"]
    return state["details"] and str(state["details"]["phone"])


def test_a_stream_is_shown_with_its_events_and_its_state(history: Shop) -> None:
    assert look("--limit", "2").output.splitlines() == [
        "customer-ALICE at version 3 of 3; times are those of Europe/Berlin",
        "the first 1 events are left out: --limit shows more",
        "    2  5 Jul 1996, 14:00  Details changed",
        "       CustomerDetailsChanged at position 2, by bob, no command,"
        " imported from northwind",
        "         Name   Alice",
        "         Phone  555-5",
        "    3  8 Jul 1996, 14:00  Details changed",
        "       CustomerDetailsChanged at position 3, by bob, no command,"
        " imported from northwind",
        "         Name   Alice",
        "         Phone  555-8",
        "state",
        "         Name          Alice",
        "         Phone         555-8",
        "         Is forgotten  no",
    ]


def test_an_order_is_shown_as_people_write_it(alice: str, place: Place) -> None:
    number = place("paid", required_date=str(in_days(9)), freight=5)

    shown = CliRunner().invoke(stream, ["show", f"order-{number}"]).output
    for line in (
        "Line             2 x RETRO-CLOCK at 12.50 EUR",
        f"Needed by        {written(in_days(9))}",
        "Freight          0.05 EUR",
        "Address          Obere Str. 57, Berlin, Germany",
        "Discount         0 %",
        "Amount   25.00 EUR",
        "Paid             25.00 EUR",
        "Payments         25.00 EUR",
    ):
        assert line in shown
    assert "{" not in shown


def test_what_was_sent_and_came_back_is_shown_with_its_line(
    alice: str, place: Place, do: Do
) -> None:
    number = place("shipped")
    do(replace(return_one_clock, order_id=number))

    shown = CliRunner().invoke(stream, ["show", f"order-{number}"]).output
    assert "1 of line 1" in shown
    *_, state = shown.partition("\nstate\n")
    assert "2 x RETRO-CLOCK at 12.50 EUR; 2 shipped, 1 came back" in state
    assert "Parcels          1Z999" in state


def test_programs_get_all_of_it_on_a_line(history: Shop) -> None:
    told = json.loads(look("--json", "--version", "2", "--limit", "1").stdout)

    assert (told["stream_id"], told["version"], told["head"]) == (
        "customer-ALICE",
        2,
        3,
    )
    (event,) = told["events"]
    assert event["occurred_at"] == "1996-07-05T12:00:00Z"
    assert event["data"] == {"name": "Alice", "phone": "555-5"}
    assert event["metadata"]["source"] == "northwind"
    assert told["state"]["details"]["phone"] == "555-5"
    assert told["error"] is None


def test_what_was_forgotten_is_shown_so(alice: str, do: Do, place: Place) -> None:
    number = place()
    assert "Name          Alice's Clocks" in look().output

    do(ForgetCustomer(customer_id=alice))
    shown = look().output
    assert "Name     forgotten" in shown
    assert "E-mail   forgotten" in shown
    assert "Is forgotten  yes" in shown
    assert "Clocks" not in shown
    order = CliRunner().invoke(stream, ["show", f"order-{number}"]).output
    assert "Address          forgotten" in order


def test_an_event_is_shown_with_the_command_it_is_of(send: Send, work: Work) -> None:
    accepted = send("RegisterCustomer", ALICE)
    work(accepted)

    command_id = accepted.get_json()["id"]
    assert f"by local, command {command_id}" in look().output


def test_a_version_shows_the_stream_as_it_was(history: Shop) -> None:
    assert look("--version", "2").output.startswith(
        "customer-ALICE at version 2 of 3; "
    )
    assert phone("--version", "2") == "555-5"


MOMENTS = [
    ("1996-07-03", None),
    ("1996-07-04", "555-4"),
    ("1996-07-07", "555-5"),
    ("2026-11-23", "555-8"),
    ("1996-07-08T13:59:59", "555-5"),
    ("1996-07-08 14:00", "555-8"),
    ("1996-07-08T14:00:00+03:00", "555-5"),
    ("1996-07-08T12:00:00Z", "555-8"),
]


def test_a_time_shows_the_stream_as_it_was(history: Shop) -> None:
    assert [(moment, phone("--as-of", moment)) for moment, _ in MOMENTS] == MOMENTS


def test_of_a_long_stream_the_last_events_are_shown(history: Shop) -> None:
    shown = look("--limit", "1").output

    assert "the first 2 events are left out" in shown
    assert "555-5" not in shown
    assert "555-8" in shown


def test_what_a_terminal_takes_for_an_order_is_written_out(history: Shop) -> None:
    with history.lent() as connection:
        append(
            connection,
            [("customer-ALICE", changed(9, "\x1b[2J\x9b2J\x7f\u202e"))],
            expected={"customer-ALICE": 3},
        )

    for shown in (look().output, look("--json").output):
        assert r"\u001b[2J\u009b2J\u007f\u202e" in shown
        assert not {"\x1b", "\x9b", "\x7f", "\u202e"} & set(shown)


REFUSED = [
    (["--version", "4"], "customer-ALICE has no version 4: it is at 3."),
    (["--version", "99999999999"], "has no version 99999999999: it is at 3."),
    (["--version", "0"], "0 is not in the range x>=1"),
    (["--as-of", "yesterday"], "'yesterday' is no time like 2026-11-23"),
    (["--as-of", "1996-02-30"], "'1996-02-30' is no time like 2026-11-23"),
    (["--as-of", "9999-12-31"], "'9999-12-31' is no time like 2026-11-23"),
    (["--as-of", "1996-07-04", "--version", "1"], "cannot be combined"),
]


def test_what_cannot_be_shown_is_told(history: Shop) -> None:
    for arguments, reason in REFUSED:
        result = look(*arguments)

        assert result.exit_code != 0
        assert reason in result.output


def test_a_stream_that_is_not_there_is_told(shop: Shop) -> None:
    for name in ("customer-ALICE", "", "\x1b[2J", "a-\0", "a-\ud800"):
        result = CliRunner().invoke(stream, ["show", "--", name])

        assert result.exit_code == 1
        assert result.output.startswith("Error: There is no stream ")
        assert result.output[:-1].isprintable()


@pytest.mark.parametrize("typed", ["10248", "orders-10248", "Order-10248"])
def test_who_leaves_out_the_category_is_led_to_the_stream(
    shop: Shop, history: Shop, typed: str
) -> None:
    with shop.lent() as connection:
        shipped = replace(changed(4, "", "OrderShipped"), data="{}")
        append(connection, [("order-10248", shipped)], expected={"order-10248": 0})

    result = CliRunner().invoke(stream, ["show", typed])

    assert result.exit_code == 1
    assert "Did you mean order-10248?" in result.output


def test_what_is_not_known_of_an_order_is_null_for_programs(
    alice: str, place: Place
) -> None:
    number = place("paid")

    shown = CliRunner().invoke(stream, ["show", "--json", f"order-{number}"]).stdout

    state = json.loads(shown)["state"]
    assert (state["shipped_at"], state["customer_id"]) == (None, alice)
    assert '"none"' not in shown


def test_of_a_time_to_come_it_is_said_that_it_may_change(history: Shop) -> None:
    assert "note: that time is still to come" in look("--as-of", "2999-12-31").stderr
    assert look("--as-of", "1996-07-08").stderr == ""


def test_events_that_make_no_state_are_shown_all_the_same(history: Shop) -> None:
    with history.lent() as connection:
        append(
            connection,
            [("customer-ALICE", changed(9, "555-9", "CustomerMelted"))],
            expected={"customer-ALICE": 3},
        )
    result = look()

    assert result.exit_code == 1
    assert '"555-9"' in result.output
    assert "customer-ALICE has no state: No class for events of type" in result.stderr
    told = json.loads(look("--json").stdout)
    assert told["events"][3]["data"]["phone"] == "555-9"
    assert told["error"]["type"] == "UnknownEventType"


def test_a_stream_that_nothing_decides_on_is_shown_all_the_same(history: Shop) -> None:
    with history.lent() as connection:
        append(connection, [("note-1", changed(9, "555-9"))], expected={"note-1": 0})
    result = CliRunner().invoke(stream, ["show", "note-1"])

    assert result.exit_code == 1
    assert '"555-9"' in result.stdout
    assert "note-1 has no state: nothing decides on such streams" in result.stderr


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-11-23", 24)]
)
def test_a_day_ends_where_the_next_begins_also_when_clocks_change(
    day: str, hours: int
) -> None:
    begin = moment_in(f"{day}T00:00", BERLIN)

    end = moment_in(day, BERLIN)
    assert end == begin + timedelta(hours=hours) - timedelta(microseconds=1)
