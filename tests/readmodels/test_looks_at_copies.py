"""Two looks at one copy of the past at once: neither notes what the other has seen."""

from datetime import timedelta
from typing import Any

import pytest

from eventstore.past.moments import has_events
from eventstore.past.registry import PastCopy, find_copies, find_right
from readmodels import order_list
from tasks.shop.wiring import Shop
from tests.support.desk import Do, alice, pay, place
from tests.support.past import make_copy, moment_of, read_events

LATER = timedelta(milliseconds=2)


@pytest.mark.parametrize("other_looks", [False, True])
def test_a_look_notes_nothing_where_another_has_noted_a_later_time(
    shop: Shop, do: Do, monkeypatch: pytest.MonkeyPatch, other_looks: bool
) -> None:
    do(alice, place)
    then = read_events(shop)[-1].occurred_at
    made = make_copy(shop, order_list.projection, moment_of(shop, then))
    do(pay)

    def look_in_between(*asked: Any) -> bool:
        found = has_events(*asked)
        if other_looks:
            # As of a later time, at a log that had not got the payment yet.
            with shop.lent() as connection:
                connection.execute(
                    "UPDATE past_copies SET until = %s", [then + 2 * LATER]
                )
        return found

    monkeypatch.setattr("eventstore.past.registry.has_events", look_in_between)
    moment = moment_of(shop, then + timedelta(microseconds=1))
    with shop.lent() as connection:
        found = find_right(connection, order_list.projection, moment)
    [copy] = copies(shop)

    assert found is not None
    assert found.number == made.number
    # Else the payment would pass as looked at for the later time, too.
    assert (copy.looked == made.looked) == other_looks


def copies(shop: Shop) -> list[PastCopy]:
    with shop.lent() as connection:
        return find_copies(connection)
