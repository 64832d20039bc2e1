"""One line for each command and each catch-up, and nothing in it of anybody."""

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from eventstore.errors import CannotProject, LiveRowsBehind
from eventstore.ids import command_id_for
from eventstore.subscriptions.catch_up import CaughtUp
from eventstore.subscriptions.subscription import Subscription
from tasks.catch_up import report_alone
from tasks.shop.logging import log_to_stderr, logger_of
from tasks.shop.wiring import Shop
from tests.support.desk import LONDON, Do, alice, cancel, place, ship
from webapp import create_app

PERSONAL = ("Alice", "alice@example.com", "+44 20 1234", "Orchestra", "bought it twice")


@pytest.fixture
def as_before() -> Iterator[None]:
    """Leave logging as it was: it belongs to the whole process."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def lines(
    as_before: None, do: Do, capfd: pytest.CaptureFixture[str]
) -> list[dict[str, Any]]:
    """What is logged while an order is placed, shipped unpaid, and taken back."""
    log_to_stderr("INFO", "json")
    do(replace(alice, phone="+44 20 1234", address=LONDON), place, ship, cancel)
    return [json.loads(line) for line in capfd.readouterr().err.splitlines()]


def test_each_command_has_one_line_with_what_it_took(
    lines: list[dict[str, Any]],
) -> None:
    finished = [line for line in lines if line["event"] == "finished"]
    first = finished[0]

    assert [(line["type"], line["status"], line["why"]) for line in finished] == [
        ("RegisterCustomer", "succeeded", None),
        ("PlaceOrder", "succeeded", None),
        ("ShipOrder", "rejected", "OrderNotPaid"),
        ("CancelOrder", "succeeded", None),
    ]
    assert first["command_id"] == str(command_id_for("staff", "0"))
    assert first["correlation_id"] == first["command_id"]
    assert (first["stream_id"], first["version"]) == ("customer-ALICE", 1)
    assert (first["attempts"], first["conflicts"], first["together"]) == (1, 0, 1)
    assert first["seconds"] > 0
    assert first["ran_by"].startswith("worker:")


def test_each_pass_has_one_line(lines: list[dict[str, Any]]) -> None:
    caught_up = [line for line in lines if line["event"] == "caught up"]

    assert all("order_list_g1" in line["subscriptions"] for line in caught_up)
    assert caught_up[-1]["checkpoint"] == 3
    assert sum(line["handled"] for line in caught_up) == 3
    assert caught_up[-1]["seconds"] > 0


def test_no_line_has_anything_of_anybody(lines: list[dict[str, Any]]) -> None:
    assert [word for word in PERSONAL if word in json.dumps(lines)] == []


def test_no_figure_has_anything_of_anybody(shop: Shop, do: Do) -> None:
    do(replace(alice, phone="+44 20 1234", address=LONDON), place, cancel)
    text = create_app(shop).test_client().get("/metrics").text

    assert "recount_commands" in text
    assert [word for word in (*PERSONAL, "ALICE") if word in text] == []


def test_people_read_a_line_with_names_and_values(
    as_before: None, capfd: pytest.CaptureFixture[str]
) -> None:
    log_to_stderr("INFO")
    logger_of("tasks.commands").info("finished", type="PlaceOrder", why="a b")

    line = capfd.readouterr().err
    assert line.endswith(" INFO tasks.commands finished type=PlaceOrder why='a b'\n")


@pytest.mark.parametrize("form", ["text", "json"])
def test_what_a_library_says_goes_the_same_way(
    as_before: None, capfd: pytest.CaptureFixture[str], form: str
) -> None:
    log_to_stderr("INFO", form)
    try:
        raise RuntimeError("kept")
    except RuntimeError:
        logging.getLogger("kombu").exception("lost %s", "it")

    said = capfd.readouterr().err
    assert "lost it" in said
    assert "RuntimeError: kept" in said


def test_a_reader_that_waits_for_another_is_no_error(
    as_before: None, shop: Shop, capfd: pytest.CaptureFixture[str]
) -> None:
    log_to_stderr("INFO", "json")
    subscription = Subscription(name="reader", types=None, handler=lambda *_: None)
    waits = CannotProject(7, LiveRowsBehind("order_list_g1"))
    broken = CannotProject(7, ValueError("no such thing"))
    for error in (waits, broken):
        reached = CaughtUp(checkpoint=6, stopped_at=7, error=error)
        report_alone(subscription, reached, 0.1)

    (line,) = map(json.loads, capfd.readouterr().err.splitlines())
    assert (line["because"], line["level"]) == ("code", "error")
