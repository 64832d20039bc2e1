"""`recount parked`: what read models leave out, trying it once more, giving it up."""

import json
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli import cli
from eventstore.projections.parked_streams import find_parked
from tasks.shop import wiring
from tasks.shop.wiring import Shop
from tests.support.databases import as_role
from tests.support.desk import Do, alice, pay, place
from tests.support.parking import bad_place, bad_ship, broken_folds


def run(*typed: str, answer: str = "") -> Result:
    return CliRunner().invoke(cli, list(typed), input=answer)


def parked(shop: Shop) -> list[tuple[str, str]]:
    with shop.lent() as connection:
        found = find_parked(connection)
    return [(one.read_model, one.stream_id) for one in found if not one.dropped_at]


def entries(*typed: str) -> list[dict[str, Any]]:
    lines = run("parked", "list", "--json", *typed).stdout.splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture
def shipped(do: Do) -> None:
    """Two orders; the first was shipped, which two read models cannot follow."""
    with broken_folds():
        do(alice, place, place, pay, bad_ship)


BOTH = [("order_details", "order-1"), ("order_list", "order-1")]


def test_an_operator_sees_what_is_parked_and_why(shop: Shop, shipped: None) -> None:
    lines = run("parked", "list").stdout.splitlines()
    [entry] = entries("order_list")
    status = run("status").stdout

    assert len(lines) == 2
    assert "order_list order-1 from position 5: ValueError in tests.support" in lines[1]
    assert "UTC, tried once" in lines[1]
    assert (entry["stream_id"], entry["position"]) == ("order-1", 5)
    assert entry["attempts"] == 1
    assert entry["because_of"] is entry["dropped_at"] is None
    assert "the secret of" not in str(lines)
    assert "order_list: 1 stream PARKED since" in status
    assert "recount parked list order_list" in status


def test_a_retry_with_mended_code_follows_them_again(shop: Shop, shipped: None) -> None:
    done = run("parked", "retry")
    again = run("parked", "retry")

    assert done.exit_code == 0, done.output
    assert "order_list: 1 followed again, 0 parked still" in done.output
    assert "order_details: 1 followed again, 0 parked still" in done.output
    assert parked(shop) == []
    assert "nothing is parked" in again.output
    assert "PARKED" not in run("status").output


def test_a_retry_with_the_same_code_says_what_is_parked_still(
    shop: Shop, shipped: None
) -> None:
    with broken_folds():
        failed = run("parked", "retry", "order_list", "order-1")

    assert failed.exit_code == 1
    assert "order_list: 0 followed again, 1 parked still" in failed.output
    assert "tried 2 times" in failed.output
    assert parked(shop) == BOTH


def test_what_is_given_up_is_no_longer_reported_and_can_be_retried(
    shop: Shop, shipped: None
) -> None:
    refused = run("parked", "drop", "order_list", "--all", answer="n\n")
    before = parked(shop)
    dropped = run("parked", "drop", "order_list", "order-1", "--yes")
    listed = run("parked", "list", "order_list").stdout
    left = parked(shop)
    status = run("status").stdout
    not_tried = run("parked", "retry", "order_list")
    named = run("parked", "retry", "order_list", "order-1")

    assert (refused.exit_code, before) == (1, BOTH)
    assert (dropped.output, left) == ("order_list: 1 dropped\n", BOTH[:1])
    assert "; dropped " in listed
    assert "order_list: 1 stream PARKED" not in status
    assert "nothing is parked" in not_tried.output
    assert "1 followed again" in named.output


def test_an_operators_login_may_do_all_of_it(shop: Shop, shipped: None) -> None:
    url = as_role(shop.settings.database_url, "operator")
    operators = Shop(replace(shop.settings, database_url=url))
    wiring.use(operators)
    done = run("parked", "retry", "order_list")
    dropped = run("parked", "drop", "order_details", "--all", "--yes")
    operators.engine.dispose()

    assert done.exit_code == 0, done.output
    assert "1 followed again" in done.output
    assert dropped.output == "order_details: 1 dropped\n"
    assert parked(shop) == []


def test_a_read_model_that_names_no_streams_is_rebuilt(shop: Shop, do: Do) -> None:
    with broken_folds():
        do(alice, place, bad_place)
        failed = run("parked", "retry", "figures")
    done = run("parked", "retry", "figures")

    assert failed.exit_code == 1
    assert "figures: it is rebuilt" in failed.output
    assert "recount rebuild figures --park" in failed.output
    assert done.exit_code == 0, done.output
    assert "figures: 1 followed again, 0 parked still" in done.output


def test_a_rebuild_goes_on_only_where_it_is_told_to(shop: Shop, shipped: None) -> None:
    with broken_folds():
        failed = run("rebuild", "order_list")
        done = run("rebuild", "order_list", "--park")
    mended = run("rebuild", "order_list")

    assert failed.exit_code == 1
    assert "recount rebuild order_list --park" in failed.output
    assert done.exit_code == 0, done.output
    assert "order_list: 1 stream is parked: recount parked list" in done.output
    assert (mended.exit_code, parked(shop)) == (0, BOTH[:1])


def test_a_read_model_of_another_definition_is_to_be_rebuilt(
    shop: Shop, shipped: None
) -> None:
    with shop.lent() as connection:
        connection.execute("UPDATE generations SET shape = 'x'")
    outdated = run("parked", "retry", "order_list")

    assert outdated.exit_code == 1
    assert "recount rebuild order_list" in outdated.output
    assert "Traceback" not in outdated.output


def test_code_that_fails_for_others_is_told_in_a_line(
    shop: Shop, shipped: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("readmodels.customer_on_list.CustomerOnList", None)
    failed = run("parked", "retry", "order_list")

    assert failed.exit_code == 1
    assert "Cannot project the event at 1: TypeError" in failed.output
    assert "A stream that is not parked fails, too" in failed.output
    assert "Traceback" not in failed.output
    assert parked(shop) == BOTH


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("list", "nothing"), "There is no read model nothing."),
        (("retry", "order_list", "order-7"), "order-7 is not parked for order_list"),
        (("drop", "order_list"), "Name the streams, or give --all."),
        (("drop", "order_list", "order-7"), "order-7 is not parked for order_list"),
    ],
)
def test_what_there_is_not_is_refused(
    shop: Shop, typed: tuple[str, ...], said: str
) -> None:
    refused = run("parked", *typed)

    assert refused.exit_code in (1, 2)
    assert said in refused.output
