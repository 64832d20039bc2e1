"""`recount log show`: what happened across all streams."""

import json
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from cli import log
from tasks.shop.wiring import Shop
from tests.support.desk import Do, alice, bob, pay, place, rename


@pytest.fixture
def history(shop: Shop, do: Do) -> Shop:
    """Five events: two customers, an order, its payment, another name."""
    do(alice, bob, place, pay, rename)
    return shop


def show(*arguments: str) -> Result:
    return CliRunner().invoke(log, ["show", *arguments])


def positions(*arguments: str) -> list[int]:
    """Return the positions that are shown, from the lines for people."""
    result = show(*arguments)
    assert result.exit_code == 0, result.output
    return [int(line.split()[0]) for line in result.stdout.splitlines()]


def as_json(*arguments: str) -> list[Any]:
    lines = show("--json", *arguments).stdout.splitlines()
    return [json.loads(line) for line in lines]


def test_the_last_events_are_shown_the_newest_last(history: Shop) -> None:
    assert positions() == [1, 2, 3, 4, 5]
    assert positions("--limit", "2") == [4, 5]


def test_behind_a_position_the_first_are_shown(history: Shop) -> None:
    assert positions("--after", "1", "--limit", "2") == [2, 3]


def test_that_there_are_more_is_told_beside_them(history: Shop) -> None:
    result = show("--after", "0", "--limit", "2")

    assert result.stderr == "there are more: --limit shows them\n"


def test_a_category_is_shown(history: Shop) -> None:
    assert positions("--category", "customer") == [1, 2, 5]


def test_types_are_shown(history: Shop) -> None:
    types = ("--type", "OrderCreated", "--type", "PaymentReceived")

    assert positions(*types, "--after", "3") == [4]


def test_a_line_tells_stream_version_type_and_who(history: Shop) -> None:
    (line,) = show("--limit", "1").stdout.splitlines()

    for told in ("5 customer-ALICE 2", "CustomerDetailsChanged", "by staff"):
        assert told in line


def test_an_event_without_an_actor_is_by_nobody_known(shop: Shop) -> None:
    with shop.engine.begin() as connection:
        connection.execute(
            sa.text(
                """
                INSERT INTO events
                    (stream_id, type, version, data, metadata, occurred_at)
                VALUES ('order-1', 'OrderCancelled', 1, '{}', '{}', now())
                """
            )
        )

    (line,) = show().stdout.splitlines()

    assert line.endswith("by nobody known")


def test_a_program_gets_all_that_the_log_has(history: Shop) -> None:
    (event,) = as_json("--type", "PaymentReceived")

    assert event["data"] == {"payment": 1, "amount": 10_899}
    assert (event["position"], event["stream_id"], event["version"]) == (
        4,
        "order-1",
        2,
    )
    assert event["metadata"]["actor"] == "staff"


def test_one_event_is_shown_by_its_id(history: Shop) -> None:
    (paid,) = as_json("--type", "PaymentReceived")

    assert positions("--event", paid["metadata"]["event_id"]) == [4]


def test_what_a_command_caused_is_shown(history: Shop) -> None:
    (paid,) = as_json("--type", "PaymentReceived")

    assert positions("--caused-by", paid["metadata"]["command_id"]) == [4]


def test_what_an_event_caused_leads_through_the_command_that_followed(
    history: Shop,
) -> None:
    """As if a process manager had sent the last command because of the payment."""
    (paid,) = as_json("--type", "PaymentReceived")
    (renamed,) = as_json("--type", "CustomerDetailsChanged")
    with history.engine.begin() as connection:
        connection.execute(
            sa.text(
                """
                UPDATE commands
                SET metadata = metadata
                    || jsonb_build_object('causation_id', cast(:cause AS text))
                WHERE id = :id
                """
            ),
            {
                "cause": paid["metadata"]["event_id"],
                "id": renamed["metadata"]["command_id"],
            },
        )
    caused_by = ("--caused-by", paid["metadata"]["event_id"])

    command, event = show(*caused_by).stdout.splitlines()

    assert command.split()[0] == "ChangeCustomerDetails"
    assert command.endswith("to customer-ALICE: succeeded")
    assert event.split()[:2] == ["5", "customer-ALICE"]
    assert [line["position"] for line in as_json(*caused_by)] == [5]


def test_a_conversation_is_shown(history: Shop) -> None:
    (paid,) = as_json("--type", "PaymentReceived")

    assert positions("--correlation", paid["metadata"]["correlation_id"]) == [4]


def test_that_there_is_none_is_told(history: Shop) -> None:
    assert show("--category", "account").stdout == "there is no such event\n"
    assert as_json("--category", "account") == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("--caused-by", "order-1"),
        ("--limit", "0"),
        ("--after", "-1"),
        ("--after", "1", "--caused-by", "6f1d2c0e-6d0b-5c52-9c34-1d1f5f0e8a11"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    arguments: tuple[str, ...], history: Shop
) -> None:
    assert show(*arguments).exit_code == 2


def test_nothing_in_an_event_orders_the_terminal_about(shop: Shop) -> None:
    with shop.autocommitting.connect() as connection:
        connection.execute(
            sa.text(
                """
                INSERT INTO events
                    (stream_id, type, version, data, metadata, occurred_at)
                VALUES ('order-' || chr(27) || '[2J', 'X', 1, '{}', '{}', now())
                """
            )
        )

    assert "\x1b" not in show().stdout + show("--json").stdout
