"""Why a value was so then: held against a fold of the events, written for the test."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from domain.customers.commands import ForgetCustomer
from eventstore.errors import ReadModelBehind
from eventstore.explaining.explanation import Explanation
from eventstore.explaining.why import Question, explain
from eventstore.log.events import RecordedEvent
from eventstore.log.read import settled
from eventstore.past.moments import Moment
from eventstore.projections.projection import Projection
from readmodels import ALL, customers, order_details, order_list
from tasks import catch_up
from tasks.shop.wiring import Shop
from tests.support.command_histories import happen, random_commands
from tests.support.desk import Do, alice, pay, place, rename
from tests.support.parking import bad_ship, broken_folds
from tests.support.past import Rows, events_of, fold_one, read_events
from tests.support.past_checks import append_in_the_clear, append_order

GONE = object()
Cell = tuple[Any, str]


def ask(
    shop: Shop, projection: Projection, cell: Cell, **asked: int | datetime | None
) -> Explanation:
    key, column = cell
    question = Question(key=key, column=column, **asked)  # type: ignore[arg-type]
    masters = shop.deciders.masters
    with shop.lent() as connection:
        return explain(connection, projection, question, masters=masters, limit=1_000)


def histories_by_hand(
    events: Sequence[RecordedEvent], projection: Projection, moment: Moment
) -> Mapping[Cell, list[tuple[int, Any]]]:
    """Return of each cell at which positions it got which values, GONE for no row."""
    rows: Rows = {}
    lookups: dict[str, Rows] = {lookup.name: {} for lookup in projection.lookups}
    last: dict[Cell, Any] = {}
    found: dict[Cell, list[tuple[int, Any]]] = defaultdict(list)
    for event in events_of(events, moment):
        if event.type not in projection.types:
            continue
        fold_one(event, projection, rows, lookups)
        for key, row in rows.items():
            for field in fields(projection.row):
                value = GONE if row is None else getattr(row, field.name)
                cell = (key, field.name)
                if last.get(cell, GONE) is not value and last.get(cell, GONE) != value:
                    found[cell].append((event.position, value))
                    last[cell] = value
    return found


def random_moment(random: Random, events: Sequence[RecordedEvent]) -> Moment:
    """Return a position, or a time: at, just before or just behind an event's."""
    event = random.choice(events)
    if random.random() < 0.5:
        return Moment(at=None, up_to=event.position)
    aside = timedelta(microseconds=random.choice([-1, 0, 1]))
    return Moment(at=event.occurred_at + aside, up_to=events[-1].position)


@pytest.mark.parametrize(
    ("seed", "cells"),
    [(0, 100), *(pytest.param(n, 225, marks=pytest.mark.long) for n in range(1, 5))],
)
def test_every_answer_of_then_is_what_a_fold_by_hand_gives(
    shop: Shop, seed: int, cells: int
) -> None:
    random = Random(seed)
    happen(shop, *random_commands(random, 40))
    # Its events occurred years ago, and are the last ones of the log.
    append_order(shop, "ALICE")
    catch_up.run(shop)
    events = read_events(shop)
    asked = of_changed = 0
    while asked < cells:
        projection = random.choice(ALL)
        moment = random_moment(random, events)
        histories = histories_by_hand(events, projection, moment)
        for cell in random.sample(sorted(histories, key=str), min(5, len(histories))):
            position = moment.up_to if moment.at is None else None
            answer = ask(shop, projection, cell, at=moment.at, position=position)

            told = [
                (one.position, GONE if one.removes_row else one.after)
                for one in reversed(answer.changes)
                if one.makes_row or one.removes_row or one.before != one.after
            ]
            assert told == histories[cell], (projection.name, cell, moment)
            assert answer.value == histories[cell][-1][1]
            assert (answer.is_whole, answer.is_wrong) == (True, False)
            assert not answer.failed
            asked += 1
            of_changed += len(told) > 1
    assert of_changed > cells / 10


def test_a_moment_that_the_read_model_has_not_read_is_refused(
    shop: Shop, do: Do
) -> None:
    do(alice, place)
    happen(shop, pay, key="later")
    with shop.lent() as connection:
        end = settled(connection)
    placed, paid = read_events(shop)[-2:]
    status = (1, "status")

    for asked in ({"position": end}, {"at": paid.occurred_at}):
        with pytest.raises(ReadModelBehind, match="order_list was read up to position"):
            ask(shop, order_list.projection, status, **asked)

    before: dict[str, Any]
    for before in ({"position": placed.position}, {"at": placed.occurred_at}):
        assert ask(shop, order_list.projection, status, **before).value == "pending"
    assert ask(shop, order_list.projection, status).value == "pending"
    catch_up.run(shop)
    assert ask(shop, order_list.projection, status, position=end).value == "paid"


def test_events_of_other_read_models_are_not_waited_for(shop: Shop, do: Do) -> None:
    do(alice, place)
    happen(shop, rename, key="later")
    projection = next(one for one in ALL if one.name == "figures")
    with shop.lent() as connection:
        end = settled(connection)

    assert ask(shop, projection, ("orders", "orders"), position=end).value == 1


def test_a_stream_that_cannot_be_folded_is_named(shop: Shop, do: Do) -> None:
    with broken_folds():
        do(alice, place, pay, bad_ship)
        end = read_events(shop)[-1].position

        answer = ask(shop, order_list.projection, (1, "status"), position=end)
        before = ask(shop, order_list.projection, (1, "status"), position=end - 1)

    assert (answer.value, answer.failed) == ("paid", ["order-1"])
    assert (before.value, before.failed) == ("paid", [])


def test_the_bound_counts_what_is_read_and_not_what_belongs_to_the_moment(
    shop: Shop, do: Do
) -> None:
    do(alice, *[place] * 4)
    figures = next(one for one in ALL if one.name == "figures")
    question = Question(
        key="orders", column="orders", at=datetime(1990, 1, 1, tzinfo=UTC)
    )
    with shop.lent() as connection:
        bounded = explain(connection, figures, question, most=3)
        whole = explain(connection, figures, question, most=4)

    assert (bounded.is_whole, bounded.is_there) == (False, None)
    assert (whole.is_whole, whole.is_there, whole.events) == (True, False, 0)


@pytest.mark.parametrize(
    ("projection", "cell"),
    [
        (customers.projection, ("OLD", "name")),
        (customers.projection, ("OLD", "address")),
        (order_details.projection, (91, "customer_name")),
        (order_details.projection, (91, "address")),
        (order_list.projection, (91, "city")),
    ],
)
def test_no_answer_has_what_was_forgotten_and_never_encrypted(
    shop: Shop, do: Do, projection: Projection, cell: Cell
) -> None:
    append_in_the_clear(shop, "OLD", "Clara Cleartext", 91)
    do(alice)
    then = read_events(shop)[-1]
    catch_up.run(shop)
    before = ask(shop, projection, cell)
    do(ForgetCustomer(customer_id="OLD"))
    catch_up.run(shop)

    today = ask(shop, projection, cell)
    as_of = ask(shop, projection, cell, position=then.position)
    at = ask(shop, projection, cell, at=then.occurred_at)

    assert any(word in told_by(before) for word in ("Clara", "Leeds"))
    for answer in (today, as_of, at):
        assert "Clara" not in told_by(answer)
        assert "Leeds" not in told_by(answer)
    assert len(as_of.changes) == len(at.changes) == len(before.changes)
    assert not today.is_wrong


def told_by(answer: Explanation) -> str:
    """Return all values of an answer that are shown, as text."""
    values = [(change.before, change.after) for change in answer.changes]
    return f"{answer.value} {answer.shown} {values}"
