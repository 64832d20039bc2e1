"""`recount commands`: what operators see of the journal, and what they decide."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from cli import commands
from tasks import commands as tasks_commands
from tasks.accept import accept
from tasks.shop.wiring import Shop
from tests.support.desk import Do, alice, bob, cancel, place, rename, ship

WHY = ["--as", "olga", "--because", "the bug is corrected"]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(commands, list(arguments))


def told(*arguments: str) -> list[dict[str, Any]]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.output.splitlines()]


@pytest.fixture
def sent(shop: Shop, do: Do) -> Iterator[list[tuple[object, ...]]]:
    """A shop with a customer, an order and a refused parcel; and what is published."""
    do(alice, place, cancel, ship)
    published: list[tuple[object, ...]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tasks.broker.publish.send", lambda *args: published.append(args))
        yield published


def fail(shop: Shop, command: Any) -> UUID:
    """Accept a command whose handling has a bug."""
    accepted = accept(shop, command, key=str(uuid4()), principal="staff")
    with shop.autocommitting.connect() as connection:
        connection.execute(
            sa.text(
                """
                WITH failed AS (
                    UPDATE commands SET
                        status = 'failed', finished_at = now(), attempts = 1,
                        error = '{"error": "KeyError", "message": "x"}'
                    WHERE id = :id RETURNING id
                )
                INSERT INTO command_incidents (command_id, kind, detail)
                SELECT id, 'error', '{"error": "KeyError", "traceback": "in decide"}'
                FROM failed
                """
            ),
            {"id": accepted.command_id},
        )
    return accepted.command_id


def test_commands_are_listed_the_newest_first(sent: object) -> None:
    lines = run("list").output.splitlines()

    assert [line.split()[-2:] for line in lines[1:]] == [
        ["CancelOrder", "order-1"],
        ["PlaceOrder", "order-1"],
        ["RegisterCustomer", "customer-ALICE"],
    ]
    assert "  rejected " in lines[0]
    assert "order-1  OrderAlreadyCancelled: Order 1 is cancelled." in lines[0]


def test_they_are_narrowed_by_status_type_stream_and_age(sent: object) -> None:
    assert [c["type"] for c in told("list", "--status", "rejected")] == ["ShipOrder"]
    assert len(told("list", "--stream", "order-1")) == 3
    assert len(told("list", "--type", "PlaceOrder", "--newer-than", "1h")) == 1
    assert told("list", "--older-than", "1h") == []
    assert "there are more" in run("list", "--limit", "1").output
    assert run("list", "--older-than", "soon").exit_code == 2
    assert run("list", "--scheduled", "--status", "failed").exit_code == 2


def test_an_empty_list_says_whether_there_are_none_or_none_like_that(
    shop: Shop,
) -> None:
    assert run("list").output == "there are no commands\n"
    assert run("list", "--scheduled").output == (
        "there are no commands that match what was asked for\n"
    )
    assert run("list", "--json").output == ""


def test_a_list_has_no_data_of_anybody(sent: object) -> None:
    assert "alice@example.com" not in run("list", "--json").output


def test_the_scheduled_are_listed_and_cancelled(shop: Shop, sent: object) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    accepted = accept(shop, bob, key="b", principal="staff", not_before=tomorrow)
    (listed,) = told("list", "--scheduled")
    cancelled = run("cancel", str(accepted.command_id), *WHY)
    again = run("cancel", str(accepted.command_id), *WHY)

    assert listed["status"] == "scheduled"
    assert cancelled.exit_code == 0, cancelled.output
    assert "is cancelled, not scheduled: nothing was changed" in again.output
    assert told("list", "--scheduled") == []


def test_a_command_is_shown_down_to_the_rows_that_it_changed(
    shop: Shop, sent: object
) -> None:
    placed, registered = told("list", "--type", "PlaceOrder")[0], told("list")[-1]
    order = run("show", placed["id"]).output
    customer = run("show", registered["id"]).output

    assert "OrderCreated, order-1 1, at 2" in order
    assert "order_list: order_id 1" in order
    assert "products: product LAMP" in order
    assert "customers: customer_id ALICE" in order
    assert "customers: customer_id ALICE" in customer
    assert "alice@example.com" in customer


def test_rows_of_a_read_model_that_lags_are_told_as_such(
    shop: Shop, sent: object
) -> None:
    accepted = accept(shop, rename, key="r", principal="staff")
    tasks_commands.run(shop, [accepted.command_id])
    (shown,) = told("show", str(accepted.command_id))

    (event,) = shown["caused"]
    assert {"customer_id": "ALICE"} in [row["where"] for row in event["rows"]]
    assert {row["is_there"] for row in event["rows"]} == {False}


def test_why_a_command_failed_is_shown_with_its_traceback(
    shop: Shop, sent: object
) -> None:
    shown = run("show", str(fail(shop, bob))).output

    assert "KeyError: x" in shown
    assert "error  error KeyError\n      in decide\n" in shown


def test_a_failed_command_is_retried_and_the_workers_are_told(
    shop: Shop, sent: list[tuple[object, ...]]
) -> None:
    command_id = fail(shop, bob)
    sent.clear()
    result = run("retry", str(command_id), *WHY)
    assert result.exit_code == 0, result.output
    assert sent[0][0] == "execute"
    tasks_commands.run(shop, [command_id])
    (shown,) = told("show", str(command_id))

    assert shown["status"] == "succeeded"
    assert shown["history"][-1]["detail"] == {
        "by": "olga",
        "because": "the bug is corrected",
    }


def test_a_failed_command_is_abandoned(shop: Shop, sent: object) -> None:
    command_id = fail(shop, bob)
    done = run("abandon", str(command_id), *WHY)
    late = run("retry", str(command_id), *WHY)

    assert done.exit_code == 0, done.output
    assert late.exit_code == 1
    assert "is abandoned, not failed: nothing was changed" in late.output
    assert told("list", "--status", "abandoned")[0]["id"] == str(command_id)


@pytest.mark.parametrize(
    ("type_", "said"),
    [("CompleteTransfer", "money is under way"), ("Multiply", "upgrade")],
)
def test_one_that_cannot_be_given_up_is_told_on_a_line(
    shop: Shop, sent: object, type_: str, said: str
) -> None:
    command_id = fail(shop, bob)
    with shop.autocommitting.connect() as connection:
        connection.execute(
            sa.text("UPDATE commands SET type = :t, data = '{\"transfer_id\": 1}'"),
            {"t": type_},
        )
    refused = run("abandon", str(command_id), *WHY)
    (shown,) = told("show", str(command_id))

    assert refused.exit_code == 1
    assert said in refused.output
    assert refused.output.endswith("Nothing was changed.\n")
    assert shown["status"] == "failed"
    assert [incident["kind"] for incident in shown["history"]] == ["error"]


def test_without_a_name_it_is_the_user_of_the_computer(
    shop: Shop, sent: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "root")
    command_id = fail(shop, bob)
    run("abandon", str(command_id), "--because", "not needed")
    (shown,) = told("show", str(command_id))

    assert shown["history"][-1]["detail"]["by"] == "root"


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["retry", "7", *WHY], 2),
        (["retry", str(uuid4())], 2),
        (["abandon", str(uuid4()), "--because", "  "], 2),
        (["abandon", str(uuid4()), "--because", "a\nb"], 2),
        (["retry", str(uuid4()), *WHY], 1),
        (["show", str(uuid4())], 1),
        (["list", "--type", "\udcff"], 2),
        (["list", "--stream", "order-\0"], 2),
        (["list", "--limit", "1" * 20], 2),
    ],
)
def test_what_cannot_be_meant_is_refused(
    shop: Shop, arguments: list[str], status: int
) -> None:
    assert run(*arguments).exit_code == status
