"""`recount stream replay`: event by event, what each of them changed."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli import stream
from domain.customers.commands import ForgetCustomer
from domain.orders.commands import CancelOrder, RefundPayment
from tasks.shop.deciders import ORDERS
from tasks.shop.wiring import Shop
from tests.support.desk import Do
from tests.support.visiting import Place


def replay(stream_id: str, *arguments: str, keys: str = "") -> Result:
    return CliRunner().invoke(stream, ["replay", stream_id, *arguments], input=keys)


@pytest.fixture
def order(alice: str, place: Place) -> str:
    return f"order-{place('shipped')}"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.stream_replay.is_interactive", lambda: True)


def test_each_event_is_shown_with_what_it_changed(order: str) -> None:
    told = replay(order).output
    lines = re.sub(r"_at: none -> .+", "_at: none -> TIME", told).splitlines()

    assert [line.strip() for line in lines if line.startswith(" " * 9)] == [
        "standing.status: none -> pending",
        "standing.total: 0.00 EUR -> 25.00 EUR",
        "customer_id: none -> ALICE",
        "currency: none -> EUR",
        "lines.0: nothing -> 2 x RETRO-CLOCK at 12.50 EUR",
        "last_line: 0 -> 1",
        "placed_at: none -> TIME",
        "standing.status: pending -> paid",
        "standing.paid: 0.00 EUR -> 25.00 EUR",
        "payments.0: nothing -> 25.00 EUR",
        "standing.status: paid -> shipped",
        "lines.0.shipped: 0 -> 2",
        "parcels.0: nothing -> 1Z999",
        "shipped_at: none -> TIME",
    ]
    assert sum("at position" in line for line in lines) == 3


def test_amounts_are_shown_with_their_currency(
    alice: str, place: Place, do: Do
) -> None:
    number = int(place("paid"))
    do(
        CancelOrder(order_id=number, reason="changed her mind"),
        RefundPayment(order_id=number, amount=1000),
    )

    shown = replay(f"order-{number}").output

    assert "standing.refunded: 0.00 EUR -> 10.00 EUR" in shown


def test_fields_inside_of_others_are_told_one_by_one(alice: str, do: Do) -> None:
    do(ForgetCustomer(customer_id=alice))
    told = [
        json.loads(line)
        for line in replay("customer-ALICE", "--json").stdout.splitlines()
    ]

    assert [event["type"] for event in told] == [
        "CustomerRegistered",
        "CustomerForgotten",
    ]
    assert told[0]["changes"] == [
        {"field": "details.name", "before": None, "after": "(forgotten)"}
    ]
    assert told[1]["changes"] == [
        {"field": "details.name", "before": "(forgotten)", "after": None},
        {"field": "is_forgotten", "before": False, "after": True},
    ]
    assert "details.name: none -> forgotten" in replay("customer-ALICE").output


def test_a_replay_may_end_in_the_past(order: str) -> None:
    assert replay(order, "--version", "2").output.count("at position") == 2
    assert replay(order, "--as-of", "1996-07-04").output == ""
    refused = replay(order, "--as-of", "1996-07-04", "--version", "1")
    assert "cannot be combined" in refused.output


@pytest.mark.usefixtures("terminal")
def test_on_a_terminal_enter_goes_on_and_q_ends_it(order: str) -> None:
    for keys, shown in (("\n\n", 3), ("\nq", 2), ("xq", 1), ("\n", 2)):
        result = replay(order, keys=keys)

        assert result.exit_code == 0, result.output
        assert result.output.count("at position") == shown
    # Nobody is asked for all of it, or by a program.
    assert replay(order, "--all").output.count("at position") == 3
    assert len(replay(order, "--json").stdout.splitlines()) == 3


def test_where_evolve_fails_the_event_and_the_state_before_it_are_shown(
    order: str, shop: Shop
) -> None:
    break_evolve(shop, at="OrderShipped")
    result = replay(order)

    assert result.exit_code == 1
    *_, failed = result.output.partition("OrderShipped at position")
    assert "Tracking number  1Z999" in failed
    assert "the state before it" in failed
    assert "Status           paid" in failed
    assert r"ZeroDivisionError: melted \u001b[2J" in failed
    assert "in fail, " in failed
    *_, last = map(json.loads, replay(order, "--json").stdout.splitlines())
    assert last["before"]["standing"]["status"] == "paid"
    assert last["error"] == {"type": "ZeroDivisionError", "message": "melted \x1b[2J"}
    # And it is said where to look.
    shown = CliRunner().invoke(stream, ["show", order])
    assert shown.exit_code == 1
    assert "recount stream replay shows at which event" in shown.stderr
    # Before it nothing is wrong.
    assert replay(order, "--version", "2").exit_code == 0


def break_evolve(shop: Shop, at: str) -> None:
    """Give the shop a version of the rules that fails on events of a type."""

    def fail(order: Any, event: Any) -> Any:
        if type(event).__name__ == at:
            raise ZeroDivisionError("melted \x1b[2J")
        return ORDERS.evolve(order, event)

    # Another version of the rules, so that no snapshot stands in for them.
    slices = [s for s in shop.slices if s.category != "order"]
    shop.slices = [*slices, replace(ORDERS, evolve=fail, snapshot_version=99)]
    vars(shop).pop("deciders", None)


def test_what_cannot_be_replayed_is_told(shop: Shop) -> None:
    for name in ("order-7", "note-1", "order-\x1b[2J"):
        result = replay(name)

        assert result.exit_code == 1
        assert result.output.startswith("Error: ")
        assert result.output[:-1].isprintable()
