"""A filling has the rows that catching up makes, in parts or not, killed or not."""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
import pytest
from psycopg import sql

from eventstore.log.read import settled
from eventstore.projections import kept_rows
from eventstore.projections.generations import live_generations
from eventstore.projections.projection import Projection
from eventstore.projections.tables import Tables, tables_of
from eventstore.rebuilding import filling
from eventstore.rebuilding.filling import filling_of, merge, read_up_to
from eventstore.rebuilding.fillings import begin
from eventstore.rebuilding.parts import Part, part_of, sql_part_of
from eventstore.rebuilding.rebuild import rebuild
from readmodels import ALL
from tasks import catch_up
from tasks.shop.wiring import Shop
from tests.support.shop_histories import ShopHistory

EVENTS = 400


@pytest.fixture
def history(shop: Shop) -> ShopHistory:
    """A shop with a history of 400 events, up to date."""
    history = ShopHistory.of(7)
    with shop.lent() as connection:
        history.append(connection, EVENTS)
    catch_up.run(shop)
    return history


def rows_of(
    connection: psycopg.Connection[Any], tables: Tables
) -> Mapping[str, Sequence[str]]:
    """Return all rows, as texts, by the name of the look-up or none."""
    found = {}
    for name, table in {"": tables.rows, **tables.lookups}.items():
        rows = connection.execute(
            sql.SQL("SELECT to_jsonb(t)::text FROM {} AS t").format(table.identifier)
        )
        found[name] = sorted(text for (text,) in rows)
    return found


def live_rows(
    connection: psycopg.Connection[Any], projection: Projection
) -> Mapping[str, Sequence[str]]:
    number = live_generations(connection)[projection.name].number
    return rows_of(connection, tables_of(projection, number))


@pytest.mark.parametrize("batch", [1, 7, 5_000])
@pytest.mark.parametrize("is_small", [False, True], ids=["all in memory", "few"])
def test_what_is_filled_from_memory_is_what_catching_up_makes(
    shop: Shop,
    history: ShopHistory,
    monkeypatch: pytest.MonkeyPatch,
    batch: int,
    is_small: bool,
) -> None:
    monkeypatch.setattr(filling, "BATCH", batch)
    if is_small:
        monkeypatch.setattr(kept_rows, "MIN_ROWS", 3)
        monkeypatch.setattr(kept_rows, "MAX_BYTES", 1)
    with shop.lent() as connection:
        for projection in ALL if batch > 1 else ALL[:4]:
            before = live_rows(connection, projection)
            assert before[""] or projection.name == "transfers"
            rebuilt = rebuild(connection, projection, accept_differences=None)

            assert live_rows(connection, projection) == before, projection.name
            assert rebuilt.comparison is not None
            assert rebuilt.comparison.differing == 0


@pytest.mark.parametrize("count", [2, 3])
def test_parts_that_are_filled_by_several_are_the_whole(
    shop: Shop, history: ShopHistory, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(filling, "BATCH", 100)
    with shop.lent() as connection:
        goal = settled(connection)
        for projection in ALL:
            before = live_rows(connection, projection)
            begun = begin(connection, projection, count)
            # In turn, as processes would at different speeds.
            for part in reversed(begun.parts):
                read_up_to(connection, filling_of(part), goal, lambda _: None)
            merge(connection, begun.parts, goal)
            number = begun.parts[0].generation

            found = rows_of(connection, tables_of(projection, number))
            assert found == before, projection.name


def test_each_part_reads_only_what_it_needs(shop: Shop, history: ShopHistory) -> None:
    by_name = {projection.name: projection for projection in ALL}
    part = Part(by_name["order_list"], 2, 0, 2)
    condition = part.events()
    assert condition is not None
    with shop.lent() as connection:
        [(own, all_of_them)] = connection.execute(
            sql.SQL(
                "SELECT count(*) FILTER (WHERE {}), count(*) FROM events"
                " WHERE stream_id LIKE 'order-%'"
            ).format(condition)
        )

    assert 0.3 < own / all_of_them < 0.7
    # The look-up of orders is needed by each part.
    assert Part(by_name["customers"], 2, 0, 2).category() == "customer"
    assert Part(by_name["figures"], 2, 0, 2).events() is None


def test_python_and_sql_agree_on_the_part_of_a_key(shop: Shop) -> None:
    keys: list[str | int] = [0, 10248, 2**62, "", "ALFKI", "Zoë Ångström ⏰", "a-b"]
    with shop.lent() as connection:
        for count in (1, 2, 3, 32):
            for key in keys:
                text = sql.SQL("{}::text").format(sql.Literal(key))
                [(found,)] = connection.execute(
                    sql.SQL("SELECT {}").format(sql_part_of(text, count))
                )
                assert found == part_of(key, count)
