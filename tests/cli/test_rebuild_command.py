"""`recount rebuild`: what it says of differences, going back, and single rows."""

import json
import re

import click
import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from cli.checkpoints import way_out
from cli.rebuild import rebuild
from cli.status import status
from eventstore.rebuilding.fillings import begin, note_progress
from eventstore.rebuilding.progress import Progress
from eventstore.rebuilding.rebuild import alone
from readmodels import order_list
from tasks import catch_up, leftovers
from tasks.shop.wiring import Shop
from tests.support.desk import Do, alice, pay, place

SPOILT = "UPDATE readmodels.order_list_g1 SET total = total + 1 WHERE order_id = 1"


def run(command: click.Command, *arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments))


@pytest.fixture
def busy(shop: Shop, do: Do) -> Shop:
    """Two orders, of which the first is paid, and all read models know of it."""
    do(alice, place, place, pay)
    return shop


def change(shop: Shop, statement: str) -> None:
    with shop.autocommitting.connect() as connection:
        connection.execute(sa.text(statement))


def totals(shop: Shop) -> list[int]:
    with shop.engine.connect() as connection:
        lines = order_list.find(connection, sort="order").rows
        return [line.total for line in lines]


def figures(shop: Shop) -> dict[str, int]:
    """Return how many commands, events and changes of other tables there are."""
    with shop.engine.connect() as connection:
        return {
            table: connection.scalar(sa.text(f"SELECT count(*) FROM {table}")) or 0
            for table in ("commands", "events", "command_incidents", "signals")
        }


def test_a_planted_difference_is_said_in_words_and_the_swap_refused(
    busy: Shop,
) -> None:
    change(busy, SPOILT)
    result = run(rebuild, "order_list")

    assert result.exit_code == 1
    assert "  order 1: total 108.99, was 109.00\n" in result.output
    assert "order_list:   1 changed: total 1\n" in result.output
    assert (
        "recount: order_list was not rebuilt: 1 row differs from the live ones, and the"
        " same code had made them." in result.output
    )
    assert "recount rebuild order_list --accept-differences 1" in result.output
    assert totals(busy) == [10_900, 10_899]
    assert (
        "order_list: generation 2 is filled and kept: 1 row differs, recount rebuild"
        " order_list --accept-differences 1" in run(status).output
    )


def test_with_leave_it_goes_on_at_once_and_says_what_differed(busy: Shop) -> None:
    change(busy, SPOILT)
    run(rebuild, "order_list")
    result = run(rebuild, "order_list", "--accept-differences", "1")

    assert result.exit_code == 0
    assert "order_list: it goes on at position 4\n" in result.output
    assert "order 1: total 108.99, was 109.00" in result.output
    assert totals(busy) == [10_899, 10_899]
    assert "is filled and kept" not in run(status).output


def test_as_json_it_is_a_line_with_all_of_it(busy: Shop) -> None:
    change(busy, SPOILT)
    refused = json.loads(run(rebuild, "order_list", "--json").stdout)
    done = json.loads(
        run(rebuild, "order_list", "--accept-differences", "1", "--json").stdout
    )

    assert (refused["is_live"], refused["is_kept"]) == (False, True)
    assert refused["comparison"]["differing"] == 1
    [example] = refused["comparison"]["examples"]
    assert (example["key"], example["columns"]) == (1, ["total"])
    assert (example["before"]["total"], example["after"]["total"]) == (10_900, 10_899)
    assert example["sentence"] == "order 1: total 108.99, was 109.00"
    assert (done["is_live"], done["generation"]) == (True, 2)
    assert done["comparison"]["rows"]["columns"] == {"total": 1}


def test_rows_that_cannot_be_compared_are_put_live_where_any_is_accepted(
    busy: Shop, do: Do
) -> None:
    do(place, place)
    for statement in (
        "DELETE FROM subscriptions WHERE name = 'order_list_g1'",
        "INSERT INTO subscriptions (name) VALUES ('order_list_g1')",
        "UPDATE subscriptions SET checkpoint = 1, moved_at = now()"
        " WHERE name = 'order_list_g1'",
    ):
        change(busy, statement)
    refused = run(rebuild, "order_list", "--accept-differences", "99")
    wrong = run(rebuild, "order_list", "--accept-differences", "some")
    done = run(rebuild, "order_list", "--accept-differences", "any")

    assert refused.exit_code == 1
    assert "nothing was compared: the live rows are at position 1" in refused.output
    assert "recount rebuild order_list --accept-differences any" in refused.output
    assert wrong.exit_code == 2
    assert done.exit_code == 0
    assert "order_list: not compared: the live rows are at position 1" in done.output
    assert len(totals(busy)) == 4


@pytest.mark.parametrize("name", ["order_list_g2", "order_list_g2_p1"])
def test_a_checkpoint_of_another_log_is_mended_by_a_rebuild_of_its_read_model(
    name: str,
) -> None:
    assert way_out(name).endswith("recount rebuild order_list")


def test_changed_code_is_previewed(busy: Shop) -> None:
    change(busy, SPOILT)
    change(busy, "UPDATE fillings SET fold_version = 'x'")
    result = run(rebuild, "order_list")

    assert result.exit_code == 1
    assert "filled by other code than the live rows: 1 row differs" in result.output
    assert "and its code has changed" in result.output


def test_a_dry_run_says_what_differs_and_changes_nothing(busy: Shop) -> None:
    change(busy, SPOILT)
    result = run(rebuild, "order_list", "--dry-run")

    assert result.exit_code == 1
    assert "order 1: total 108.99, was 109.00" in result.output
    assert "what was filled is dropped" in result.output
    assert totals(busy) == [10_900, 10_899]
    assert "generation 2" not in run(status).output
    assert run(rebuild, "customers", "--dry-run").exit_code == 0


def test_all_read_models_are_as_a_dry_run_makes_them(busy: Shop) -> None:
    result = run(rebuild, "--all", "--dry-run")

    assert result.exit_code == 0
    assert result.output.count("no row differs") == len(busy.projections)


def test_going_back_is_said_with_the_numbers(busy: Shop, do: Do) -> None:
    run(rebuild, "order_list")
    do(place)
    result = run(rebuild, "order_list", "--rollback")
    again = json.loads(run(rebuild, "order_list", "--rollback", "--json").stdout)

    assert result.exit_code == 0
    assert (
        "order_list: what was generation 1 is live again as generation 3, at position 5"
        in result.output
    )
    assert (again["former"], again["generation"]) == (2, 4)
    assert totals(busy) == [10_899] * 3


def test_without_kept_rows_going_back_is_refused(busy: Shop) -> None:
    result = run(rebuild, "order_list", "--rollback")

    assert result.exit_code == 1
    assert "no rows from before are kept" in result.output


def test_a_single_row_is_mended_and_it_is_said_what_differed(busy: Shop) -> None:
    change(busy, SPOILT)
    result = run(rebuild, "order_list", "--key", "1")
    again = run(rebuild, "order_list", "--key", "1", "--json")

    assert result.exit_code == 0
    assert result.output == "order_list: written: order 1: total 108.99, was 109.00\n"
    assert totals(busy) == [10_899, 10_899]
    assert json.loads(again.stdout)["difference"] is None
    assert run(rebuild, "figures", "--key", "orders").exit_code == 1
    assert "there is no row 77" in run(rebuild, "order_list", "--key", "77").output


@pytest.mark.parametrize(
    "arguments",
    [
        ["--key", "1", "order_list", "customers"],
        ["--key", "1", "--rollback", "order_list"],
        ["--rollback", "--dry-run", "order_list"],
        ["--park", "--processes", "2", "order_list"],
    ],
)
def test_what_does_not_go_together_is_refused(shop: Shop, arguments: list[str]) -> None:
    assert run(rebuild, *arguments).exit_code == 2


def test_two_processes_make_the_rows_of_one(busy: Shop) -> None:
    result = run(rebuild, "order_list", "customers", "--processes", "2")

    assert result.exit_code == 0, result.output
    assert result.output.count("no row differs") == 2


def test_nothing_acts_while_rows_are_made(busy: Shop) -> None:
    before = figures(busy)
    for arguments in (
        ["--all"],
        ["--all", "--dry-run"],
        ["order_list", "--rollback"],
        ["order_list", "--key", "1"],
    ):
        assert run(rebuild, *arguments).exit_code == 0

    assert figures(busy) == before


def test_status_says_how_far_a_rebuild_is(busy: Shop) -> None:
    with busy.lent() as connection, alone(connection, order_list.projection):
        begin(connection, order_list.projection, 2)
        progress = Progress("filling", 250, 1_000, 7.4)
        note_progress(connection, "order_list_g2", progress)
        shown = run(status).output
    left = run(status).output

    assert (
        "order_list: generation 2 is being filled, 250 of 1,000 events, about 7 s left"
        in shown
    )
    assert re.search(r"order_list_g2_p0 +at 0, a part of what is being filled", shown)
    assert (
        "order_list: generation 2 was left unfinished, 250 of 1,000 events: recount"
        " rebuild order_list goes on" in left
    )


@pytest.mark.parametrize("parts", [1, 2])
@pytest.mark.parametrize("why", ["forgotten", "old", None])
def test_what_a_rebuild_left_goes_where_it_must_not_stay(
    busy: Shop, do: Do, parts: int, why: str | None
) -> None:
    with busy.lent() as connection:
        begin(connection, order_list.projection, parts)
    if why == "forgotten":
        # As if the rebuild had still been at work when that was read.
        with busy.lent() as connection, alone(connection, order_list.projection):
            forget(busy)
            assert leftovers.run(busy) == 0
    if why == "old":
        change(busy, "UPDATE fillings SET begun_at = now() - interval '8 days'")

    assert leftovers.run(busy) == (0 if why is None else 1)
    is_there = "generation 2" in run(status).output
    assert is_there == (why is None)


def forget(shop: Shop) -> None:
    from uuid import uuid4

    from domain.customers.commands import ForgetCustomer
    from tasks import commands
    from tasks.accept import accept

    command = ForgetCustomer(customer_id="ALICE")
    accepted = accept(shop, command, key=str(uuid4()), principal="staff")
    commands.run(shop, [accepted.command_id])
    catch_up.run(shop)


def test_a_forgetting_drops_what_a_rebuild_had_left(busy: Shop) -> None:
    with busy.lent() as connection:
        begin(connection, order_list.projection, 2)
    forget(busy)

    assert "generation 2" not in run(status).output
