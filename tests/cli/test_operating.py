"""The operators' command line: what stands where, and filling a read model again."""

import click
import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from cli.lag import lag
from cli.rebuild import rebuild
from cli.status import status
from readmodels import order_list
from tasks.shop.wiring import Shop
from tests.support.desk import Do, alice, place


def run(command: click.Command, *arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments))


@pytest.fixture
def busy(shop: Shop, do: Do) -> Shop:
    """One order, and all read models know of it."""
    do(alice, place)
    return shop


def change(shop: Shop, statement: str) -> None:
    with shop.autocommitting.connect() as connection:
        connection.execute(sa.text(statement))


def totals(shop: Shop) -> list[int]:
    with shop.engine.connect() as connection:
        return [line.total for line in order_list.find(connection).rows]


def test_status_says_where_each_read_model_stands(busy: Shop) -> None:
    lines = run(status).output.splitlines()

    assert lines[0] == "commands: 0 waiting, 0 failed"
    assert "order_list_g1         at 2, 0 behind" in lines
    assert "order_details_g1      at 2, 0 behind" in lines


def test_rows_that_are_kept_are_told_from_the_live_ones(busy: Shop) -> None:
    run(rebuild, "order_list")

    for lines in (run(status).output.splitlines(), run(lag).output.splitlines()):
        assert "order_list_g1         at 2, kept from before the rebuild" in lines
        assert "order_list_g2         at 2, 0 behind" in lines


def test_status_tells_of_a_log_that_is_kept_from_before_a_rewrite(busy: Shop) -> None:
    before = run(status).output
    with busy.engine.begin() as connection:
        connection.exec_driver_sql("CREATE SCHEMA log_before_1")

    assert "kept from before" not in before
    assert (
        "kept from before a rewrite: log_before_1; who was forgotten"
        in run(status).output
    )


def test_status_says_what_was_made_for_another_definition(busy: Shop) -> None:
    change(busy, "UPDATE generations SET shape = 'x' WHERE read_model = 'customers'")

    assert "OUTDATED: its definition has changed, recount rebuild customers" in (
        run(status).output
    )


def test_status_says_what_stands_still_and_why(busy: Shop, do: Do) -> None:
    change(busy, "DROP TABLE readmodels.order_list_g1 CASCADE")
    do(place)

    assert "STOPPED at 3: Cannot project the event at 3" in run(status).output


def test_a_read_model_is_rebuilt_by_its_name(busy: Shop) -> None:
    change(busy, "UPDATE readmodels.order_list_g1 SET total = 0")
    result = run(rebuild, "order_list", "--accept-differences", "1")

    assert (result.exit_code, totals(busy)) == (0, [10_899])
    progress, *_, done = result.output.splitlines()
    assert progress == "order_list: 2 of 2"
    assert done.startswith("order_list: generation 2 is live, at position 2, after")


def test_a_dropped_read_model_is_rebuilt(busy: Shop) -> None:
    change(busy, "DROP TABLE readmodels.order_list_g1 CASCADE")

    assert run(rebuild, "order_list").exit_code == 0
    assert totals(busy) == [10_899]


def test_the_others_go_on_while_one_is_dropped(busy: Shop, do: Do) -> None:
    change(busy, "DROP TABLE readmodels.customers_g1 CASCADE")
    do(place)

    assert totals(busy) == [10_899, 10_899]


def test_all_read_models_are_rebuilt_when_all_are_asked_for(busy: Shop) -> None:
    result = run(rebuild, "--all")

    assert result.output.count("generation 2 is live") == len(busy.projections)


def test_a_name_that_is_none_is_told_with_those_that_are(busy: Shop) -> None:
    result = run(rebuild, "orders")

    assert result.exit_code == 2
    assert "There is no read model orders." in result.output
    assert "order_list" in result.output


def test_a_rebuild_that_cannot_be_leaves_what_is_there(busy: Shop) -> None:
    change(
        busy, "CREATE VIEW readmodels.mine AS SELECT total FROM readmodels.order_list"
    )
    result = run(rebuild, "order_list")

    assert result.exit_code == 1
    assert "something is built upon its view" in result.output
    assert totals(busy) == [10_899]


def test_what_was_made_for_another_definition_is_not_written_to(
    busy: Shop, do: Do
) -> None:
    change(busy, "UPDATE generations SET shape = 'x' WHERE read_model = 'order_list'")
    do(place)
    assert totals(busy) == [10_899]

    run(rebuild, "order_list")
    assert totals(busy) == [10_899, 10_899]
