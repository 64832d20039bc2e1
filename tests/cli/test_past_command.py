"""`recount past`: copies of moments are listed, made, dropped and compared."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.past import past
from cli.status import status
from eventstore.past.differences import compare_moments
from eventstore.past.dropping import drop_copies
from eventstore.past.moments import Moment
from eventstore.past.registry import find_copies
from eventstore.past.wishes import want_copy
from readmodels import order_list
from tasks.past.process import connect_filler, filler_of
from tasks.shop.wiring import Shop
from tests.support.desk import Do, alice, pay, place, rename
from tests.support.past import read_events


def run(*arguments: str) -> Result:
    return CliRunner().invoke(past, arguments, prog_name="recount past")


@pytest.fixture
def history(shop: Shop, do: Do) -> Shop:
    do(alice, place, pay, rename)
    return shop


def test_what_is_made_is_listed(history: Shop) -> None:
    assert run("list").output == "there are no copies of the past\n"
    made = run("make", "--position", "2", "order_list", "customers")
    assert made.exit_code == 0, made.output
    listed = run("list").output
    assert "order_list as of position 2; 1 rows" in listed
    assert "customers as of position 2; 1 rows" in listed
    again = run("make", "--position", "2", "order_list", "--json")

    assert json.loads(again.output)["state"] == "ready"
    lines = run("list", "--json").output.splitlines()
    assert {json.loads(line)["read_model"] for line in lines} == {
        "order_list",
        "customers",
    }


def test_without_names_all_read_models_are_made(history: Shop) -> None:
    yesterday = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}"
    made = run("make", yesterday)
    assert made.exit_code == 0, made.output
    with history.lent() as connection:
        assert len(find_copies(connection)) == len(history.projections)


def test_copies_are_dropped_by_their_numbers(history: Shop) -> None:
    run("make", "--position", "2", "order_list", "customers")
    with history.lent() as connection:
        numbers = [copy.number for copy in find_copies(connection)]

    assert run("drop", str(numbers[0])).output == "1 copy is dropped\n"
    assert run("drop", str(numbers[0])).exit_code == 1
    assert run("drop").exit_code == 2
    assert run("drop", "--all").output == "1 copy is dropped\n"


def test_what_changed_between_two_moments_is_told_in_words(history: Shop) -> None:
    last = read_events(history)[-1].position
    told = run("diff", "order_list", "2", str(last), "--positions")
    assert told.exit_code == 0, told.output
    assert "1: status was pending, is paid\n" in told.output
    assert "1: customer_name was Alice, is Alice Retro\n" in told.output
    assert told.output.endswith("0 came, 0 went, 1 changed\n")

    live = run("diff", "order_list", "1", "--positions", "--json")

    [change] = map(json.loads, live.output.splitlines())
    assert (change["key"], change["before"]) == (1, None)
    assert change["after"]["status"] == "paid"


def test_no_more_differences_are_shown_than_asked_for(history: Shop, do: Do) -> None:
    do(place, place)
    told = run("diff", "order_list", "1", "--positions", "--limit", "2").output
    assert told == "1: came\n2: came\n3 came, 0 went, 0 changed; 2 are shown\n"


def test_a_copy_that_is_dropped_while_it_is_compared_is_said_in_a_line(
    history: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drop_first(*arguments: Any, **more: Any) -> Any:
        with history.lent() as connection:
            drop_copies(connection)
        return compare_moments(*arguments, **more)

    monkeypatch.setattr("cli.past_diff.compare_moments", drop_first)
    told = run("diff", "order_list", "1", "2", "--positions")

    assert told.exit_code == 1
    assert "A copy was dropped while it was read" in told.output
    assert len(told.output.splitlines()) == 1


def test_two_moments_are_compared_where_one_copy_is_kept(
    history: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "settings", replace(history.settings, past_copies=1))
    told = run("diff", "order_list", "1", "2", "--positions")

    assert told.exit_code == 0, told.output
    assert told.output.endswith("1 came, 0 went, 0 changed\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ("make", "yesterday"),
        ("make", "2126-01-01"),
        ("make", "--position", "1000000"),
        ("make", "--position", "two"),
        ("make", "2026-01-01", "orders"),
        ("diff", "orders", "2026-01-01"),
    ],
)
def test_a_moment_or_a_name_that_is_wrong_is_refused(
    history: Shop, arguments: tuple[str, ...]
) -> None:
    refused = run(*arguments)
    assert refused.exit_code in (1, 2)
    assert "Traceback" not in refused.output


def test_who_waits_for_another_process_sees_when_it_is_done(history: Shop) -> None:
    from threading import Thread

    with connect_filler(history.settings) as connection:
        filler = filler_of(history, connection)
        assert filler.take_turn()
        results: list[Result] = []
        waiting = Thread(
            target=lambda: results.append(run("make", "--position", "2", "accounts"))
        )
        waiting.start()
        while filler.fill_next() is None:
            pass
        waiting.join(60)
    assert results[0].exit_code == 0, results[0].output


def test_the_status_counts_copies_and_says_who_waits(history: Shop) -> None:
    run("make", "--position", "2", "accounts")
    with history.lent() as connection:
        want_copy(connection, order_list.projection, Moment(up_to=1), "tests")
        connection.execute(
            "UPDATE past_copies SET asked_at = asked_at - interval '1 min'"
            " WHERE state = 'wanted'"
        )
    shown = CliRunner().invoke(status).output

    [line] = [line for line in shown.splitlines() if "copies of the past" in line]
    assert "1 ready, 1 wanted" in line
    assert "WAITED FOR since 6" in line
