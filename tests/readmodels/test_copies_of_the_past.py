"""Where copies start from, when they are found again, and when they go."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from random import Random
from typing import Any

import pytest

from domain.accounts.commands import OpenAccount
from domain.customers.commands import ForgetCustomer
from eventstore.log.events import RecordedEvent
from eventstore.past import filling
from eventstore.past.filler import Bounds
from eventstore.past.moments import Moment, MomentReader
from eventstore.past.registry import find_copies, find_right
from eventstore.projections.projection import Projection
from eventstore.projections.tables import Tables
from readmodels import ALL, accounts, customers, order_list, ordered_products
from tasks.shop.wiring import Shop
from tests.support.desk import Do, place, rename
from tests.support.parking import park_stream
from tests.support.past import (
    make_copy,
    moment_of,
    read_copy,
    read_events,
)
from tests.support.past_checks import (
    HISTORY,
    append_in_the_clear,
    append_order,
    check,
    take_live_rows,
)


@pytest.fixture
def known_shop(shop: Shop, do: Do) -> Shop:
    do(*HISTORY)
    return shop


WITH_STREAMS = [projection for projection in ALL if projection.streams]
FORGETTING = [projection for projection in ALL if projection.forgets]
OF_OTHERS = {"sales": "France"}
"""What a row says of somebody who is not forgotten, where that is not the name."""


@pytest.fixture
def from_live_rows(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Have all copies made from the live rows; those that were not are in the list."""
    others: list[str] = []
    read = filling.Filling.read

    def note(self: filling.Filling) -> None:
        others.append(self.projection.name)
        read(self)

    monkeypatch.setattr(filling.Filling, "read", note)
    take_live_rows(monkeypatch)
    return others


@pytest.mark.parametrize("projection", WITH_STREAMS, ids=lambda model: model.name)
def test_what_is_made_from_the_live_rows_is_the_same(
    known_shop: Shop, do: Do, projection: Projection, from_live_rows: list[str]
) -> None:
    events = read_events(known_shop)
    chance = Random(2)
    for event in chance.sample(list(events), 4):
        check(known_shop, events, projection, moment_of(known_shop, event.occurred_at))
        position = moment_of(known_shop, position=event.position)
        check(known_shop, events, projection, position)
    # What the live rows have not read yet, and somebody who is forgotten.
    do(place)
    shipped = moment_of(known_shop)
    do(ForgetCustomer(customer_id="ALICE"))
    check(known_shop, read_events(known_shop), projection, shipped)

    assert from_live_rows == []


def test_live_rows_of_other_code_are_not_taken(
    known_shop: Shop, from_live_rows: list[str]
) -> None:
    with known_shop.lent() as connection:
        connection.execute("UPDATE fillings SET fold_version = 'other'")

    make_copy(known_shop, order_list.projection, moment_of(known_shop))

    assert from_live_rows == ["order_list"]


def test_live_rows_with_a_stream_left_out_are_not_taken(
    known_shop: Shop, do: Do, from_live_rows: list[str]
) -> None:
    park_stream(known_shop, "order_list", "order-1", 0)

    events = read_events(known_shop)
    check(known_shop, events, order_list.projection, moment_of(known_shop))

    assert from_live_rows == ["order_list"]


def test_a_later_moment_starts_from_an_earlier_copy(
    known_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = read_events(known_shop)
    folded: list[int] = []
    fold = filling.Filling.fold

    def count(self: filling.Filling, some: Sequence[RecordedEvent]) -> None:
        folded.append(len(some))
        fold(self, some)

    monkeypatch.setattr(filling.Filling, "fold", count)
    last = events[-1].position
    check(known_shop, events, order_list.projection, Moment(up_to=last - 1))
    folded.clear()

    check(known_shop, events, order_list.projection, Moment(up_to=last))

    assert sum(folded) == 1


def test_a_copy_finds_few_rows_of_many_as_the_live_rows_do(known_shop: Shop) -> None:
    copy = make_copy(known_shop, order_list.projection, moment_of(known_shop))
    query = "SELECT indexdef FROM pg_indexes WHERE tablename = %s"
    with known_shop.lent() as connection:
        rows = connection.execute(query, [f"order_list_at_{copy.number}"]).fetchall()

    of_few = [index for index in order_list.projection.indexes if index.where]
    assert sum(" WHERE " in made for (made,) in rows) == len(of_few) > 0


def test_what_shows_the_same_events_is_the_same_copy(known_shop: Shop) -> None:
    events = read_events(known_shop)
    end = events[-1]
    first = make_copy(known_shop, ordered_products.projection, moment_of(known_shop))

    # Nothing was ordered since.
    assert end.type != "OrderCreated"
    before = moment_of(known_shop, position=end.position - 1)
    again = make_copy(known_shop, ordered_products.projection, before)

    assert again.number == first.number
    third = make_copy(known_shop, order_list.projection, before)
    assert third.number != first.number


def test_a_copy_is_found_again_although_the_log_has_grown(
    known_shop: Shop, do: Do
) -> None:
    events = read_events(known_shop)
    at = events[-1].occurred_at
    first = make_copy(known_shop, order_list.projection, moment_of(known_shop, at))

    do(place, rename)
    now = moment_of(known_shop, at)
    again = make_copy(known_shop, order_list.projection, now)

    assert again.number == first.number
    assert again.looked is not None
    with known_shop.lent() as connection:
        [copy] = find_copies(connection)
        assert copy.looked == now.up_to


def test_beyond_the_bounds_the_copy_used_longest_ago_goes(known_shop: Shop) -> None:
    events = read_events(known_shop)
    few = Bounds(copies=2)
    moments = [Moment(up_to=event.position) for event in events[:4]]
    for moment in moments[:2]:
        make_copy(known_shop, customers.projection, moment, few)
    with known_shop.lent() as connection:
        connection.execute(
            "UPDATE past_copies SET used_at = used_at - interval '1 min' * number"
        )
        assert find_right(connection, customers.projection, moments[0])

        make_copy(known_shop, customers.projection, moments[3], few)

        kept = {copy.up_to for copy in find_copies(connection)}
        tables = connection.execute(
            "SELECT count(*) FROM pg_tables WHERE tablename ~ '^customers_at_[0-9]+$'"
        ).fetchone()
    assert kept == {moments[0].up_to, moments[3].up_to}
    assert tables == (2,)


@pytest.mark.parametrize("bounds", [Bounds(bytes=1), Bounds(copies=1)])
def test_beyond_the_bounds_the_two_stay_that_are_compared(
    known_shop: Shop, bounds: Bounds
) -> None:
    """Each would drop the other, and the comparison would never be ready."""
    events = read_events(known_shop)
    for event in events[:3]:
        moment = Moment(up_to=event.position)
        make_copy(known_shop, customers.projection, moment, bounds)

    with known_shop.lent() as connection:
        assert [copy.up_to for copy in find_copies(connection)] == [
            events[2].position,
            events[1].position,
        ]


@pytest.fixture
def times(known_shop: Shop, do: Do) -> list[datetime]:
    """Two times between which nothing happens that the list of orders shows."""
    first = read_events(known_shop)[-1].occurred_at
    do(OpenAccount(account_id="C", currency="EUR"))
    return [first, read_events(known_shop)[-1].occurred_at]


def test_a_look_at_an_earlier_time_notes_how_far_it_looked(
    known_shop: Shop, do: Do, times: list[datetime]
) -> None:
    """Else each look would be at all that has come since, and take longer for ever."""
    first, later = times
    copy = make_copy(known_shop, order_list.projection, moment_of(known_shop, first))
    assert (
        make_copy(
            known_shop, order_list.projection, moment_of(known_shop, later)
        ).number
        == copy.number
    )
    do(place, rename)
    now = moment_of(known_shop, first)
    again = make_copy(known_shop, order_list.projection, now)

    with known_shop.lent() as connection:
        [noted] = find_copies(connection)
    assert again.number == noted.number == copy.number
    # For both times: what is after the later one is after the earlier one.
    assert (noted.looked, noted.until) == (now.up_to, later)


def test_a_copy_that_is_right_no_more_for_a_later_time_is_so_for_its_own(
    known_shop: Shop, times: list[datetime]
) -> None:
    """An import brings an order of a time between the two."""
    first, later = times
    copy = make_copy(known_shop, order_list.projection, moment_of(known_shop, first))
    make_copy(known_shop, order_list.projection, moment_of(known_shop, later))
    append_order(known_shop, "ALICE", at=later)
    now = moment_of(known_shop, first)
    again = make_copy(known_shop, order_list.projection, now)
    with known_shop.lent() as connection:
        [noted] = find_copies(connection)

    assert again.number == copy.number
    assert (noted.looked, noted.until) == (now.up_to, first)
    events = read_events(known_shop)
    for at in (later, first, later):
        check(known_shop, events, order_list.projection, moment_of(known_shop, at))


def test_of_an_old_day_no_live_row_is_copied_in_vain(
    known_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The account that was filled has an event behind it, and is to be folded again."""
    monkeypatch.setattr(MomentReader, "count_left", lambda _: 3)
    made: list[str] = []
    create = Tables.create

    def note(self: Tables, *arguments: Any, **more: Any) -> None:
        made.append(self.name)
        create(self, *arguments, **more)

    monkeypatch.setattr(Tables, "create", note)
    events = read_events(known_shop)
    # It is opened and filled: two events, where one would be less than to read on.
    [at] = (
        e.occurred_at for e in events if (e.stream_id, e.version) == ("account-A", 2)
    )
    check(known_shop, events, accounts.projection, moment_of(known_shop, at))

    assert len(made) == 1


def test_who_is_forgotten_is_in_no_copy(known_shop: Shop, do: Do) -> None:
    events = read_events(known_shop)
    at = events[-1].occurred_at
    first = make_copy(known_shop, customers.projection, moment_of(known_shop, at))
    rows, _ = read_copy(known_shop, customers.projection, first)
    assert rows["ALICE"].name == "Alice Again"

    do(ForgetCustomer(customer_id="ALICE"))

    with known_shop.lent() as connection:
        assert find_copies(connection) == []
    again = make_copy(known_shop, customers.projection, moment_of(known_shop, at))
    rows, _ = read_copy(known_shop, customers.projection, again)
    assert rows["ALICE"].name != "Alice Again"
    assert rows["ALICE"].is_forgotten is False
    assert "Alice" not in str(rows["ALICE"])


@pytest.mark.parametrize("way", ["log", "live rows", "earlier copy"])
@pytest.mark.parametrize("projection", FORGETTING, ids=lambda model: model.name)
def test_nor_is_who_was_written_before_encryption(
    known_shop: Shop,
    do: Do,
    projection: Projection,
    way: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    append_in_the_clear(known_shop, "OLD", "Clara Cleartext", 91)
    do(replace(rename, name="Alice Somewhere"))
    at = read_events(known_shop)[-1].occurred_at
    append_in_the_clear(known_shop, "NEWER", "Norma Cleartext", 92)
    do(ForgetCustomer(customer_id="OLD"), ForgetCustomer(customer_id="NEWER"))
    moment = moment_of(known_shop, at)
    if way == "live rows":
        take_live_rows(monkeypatch)
    if way == "earlier copy":
        make_copy(known_shop, projection, moment_of(known_shop, position=14))

    copy = make_copy(known_shop, projection, moment)

    rows = read_copy(known_shop, projection, copy)
    assert "Clara" not in str(rows)
    assert "Leeds" not in str(rows)
    assert "Elmet" not in str(rows)
    assert "Norma" not in str(rows)
    assert "OLD" in str(rows)
    assert OF_OTHERS.get(projection.name, "Alice Somewhere") in str(rows)
    assert copy.left_out == 0
