"""`recount audit`: rows that are wrong, for operators, without what is personal."""

import json

import pytest
from click.testing import CliRunner, Result

from cli import cli
from tasks.shop.wiring import Shop
from tests.support.desk import Do, alice, pay, place


def run(*typed: str) -> Result:
    return CliRunner().invoke(cli, list(typed))


@pytest.fixture(autouse=True)
def _paid(do: Do) -> None:
    do(alice, place, place, pay)


@pytest.fixture
def wrong(shop: Shop) -> None:
    with shop.lent() as connection:
        connection.execute(
            "UPDATE readmodels.order_list_g1"
            " SET total = 440, customer_name = 'Mallory' WHERE order_id = 1"
        )
        connection.execute("DELETE FROM readmodels.order_details_g1 WHERE order_id = 2")


def test_where_all_is_right_it_says_so() -> None:
    done = run("audit", "--all")

    assert done.exit_code == 0
    assert ", 0 wrong" in done.stdout
    assert "none is wrong" not in run("status").stdout
    run("audit")
    assert "rows looked at, none is wrong" in run("status").stdout


def test_it_says_what_a_row_shows_and_what_it_should(wrong: None) -> None:
    done = run("audit", "--all")

    assert done.exit_code == 1
    assert (
        "order_list 1: customer_name (personal); total 440, should be 10899"
        in done.stdout
    )
    assert "order_details 2: is missing" in done.stdout
    assert "Mallory" not in done.stdout
    assert "alice@example.com" not in done.stdout
    status = run("status").stdout
    assert "WRONG: 1 of order_details, 1 of order_list: recount audit" in status


def test_programs_get_one_object_of_the_read_models_they_name(wrong: None) -> None:
    done = run("audit", "order_list", "--json")
    found = json.loads(done.stdout)

    [row] = found["wrong"]
    assert (row["read_model"], row["key"], row["kind"]) == ("order_list", 1, "changed")
    assert row["columns"]["total"] == {"shown": 440, "wanted": 10_899}
    assert "Mallory" not in done.stdout


def test_another_audit_is_not_disturbed(shop: Shop) -> None:
    from eventstore.explaining.audit_records import lone_audit

    with shop.lent() as connection, lone_audit(connection):
        done = run("audit")

    assert done.exit_code == 1
    assert "Another audit is at work" in done.stderr
