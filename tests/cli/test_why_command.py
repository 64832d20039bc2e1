"""`recount why`: the events that made a value, for operators."""

import json

import pytest
from click.testing import CliRunner, Result

from cli import cli
from tasks.shop.wiring import Shop
from tests.support.desk import Do, alice, pay, place


def run(*typed: str) -> Result:
    return CliRunner().invoke(cli, ["why", *typed])


@pytest.fixture(autouse=True)
def _paid(do: Do) -> None:
    do(alice, place, pay)


def test_it_shows_what_made_the_value_the_newest_first() -> None:
    done = run("order_list", "1", "status")
    lines = done.stdout.splitlines()

    assert done.exit_code == 0
    assert lines[0] == "order_list 1: status is paid; times are those of UTC"
    assert "paid, before: pending" in lines[1]
    assert "PaymentReceived, version 2 of order-1, at position 3, by staff" in lines[2]
    assert "ReceivePayment " in lines[2]
    assert "pending, from the beginning" in lines[3]


def test_programs_get_one_object() -> None:
    found = json.loads(run("order_list", "1", "total", "--json").stdout)

    assert (found["value"], found["is_wrong"], found["earlier"]) == (10_899, False, 0)
    assert found["changes"][0]["command_type"] == "PlaceOrder"


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (["order_list", "1", "colour"], "has no column 'colour'; it has order_id"),
        (["order_list", "x", "status"], "keys of order_list are whole numbers"),
        (["orders", "1", "status"], "orders"),
        (["order_list", "1", "status", "--as-of-position", "99"], "not settled"),
        (["figures", "orders", "total", "--most", "0"], "--most"),
    ],
)
def test_a_wrong_question_ends_in_one_line(typed: list[str], words: str) -> None:
    done = run(*typed)

    assert done.exit_code in (1, 2)
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_row_that_is_not_there_or_wrong_ends_with_1(shop: Shop) -> None:
    missing = run("order_list", "7", "status")
    with shop.lent() as connection:
        connection.execute("UPDATE readmodels.order_list_g1 SET status = 'shipped'")
    wrong = run("order_list", "1", "status")

    assert (missing.exit_code, wrong.exit_code) == (1, 1)
    assert missing.stdout == "there is no order_list 7\n"
    assert "THE READ MODEL SHOWS shipped" in wrong.stdout
