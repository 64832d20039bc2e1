"""Copies of which somebody was forgotten since, where nobody has dropped them yet."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from eventstore.log.append import ANY_VERSION, append
from eventstore.log.events import Metadata, NewEvent
from eventstore.log.read import settled
from eventstore.past import filling
from eventstore.past.registry import find_copies, find_right, find_start
from eventstore.past.wishes import want_copy
from readmodels import customers, products
from tasks.shop.wiring import Shop
from tests.support.desk import Do, alice, place
from tests.support.past import fill_all, moment_of
from tests.tasks.test_filling_copies import wish


@pytest.fixture
def history(shop: Shop, do: Do) -> Shop:
    do(alice, place)
    return shop


def forget_in_the_log_alone(shop: Shop) -> None:
    """Append that Alice is forgotten, as a shop does whose workers stand still."""
    about = uuid4()
    metadata = Metadata(
        event_id=about, correlation_id=about, causation_id=about, schema="1.0"
    )
    event = NewEvent(
        type="CustomerForgotten",
        data="{}",
        metadata=metadata,
        occurred_at=datetime.now(UTC),
    )
    with shop.lent() as connection:
        append(
            connection,
            [("customer-ALICE", event)],
            expected={"customer-ALICE": ANY_VERSION},
        )


def test_a_copy_answers_no_more_once_somebody_is_forgotten_in_the_log(
    history: Shop,
) -> None:
    """Nobody has dropped it yet: a lock, or a program of the version before."""
    before = moment_of(history)
    for projection in (customers.projection, products.projection):
        with history.lent() as connection:
            want_copy(connection, projection, before, "tests")
    with history.lent() as connection:
        fill_all(history, connection)
        assert find_right(connection, customers.projection, before) is not None
    forget_in_the_log_alone(history)
    now = moment_of(history)

    with history.lent() as connection:
        assert len(find_copies(connection)) == 2
        assert find_right(connection, customers.projection, before) is None
        assert find_start(connection, customers.projection, now) is None
        # There is nobody in it.
        assert find_right(connection, products.projection, before) is not None


def test_a_copy_that_was_being_filled_when_somebody_was_forgotten_is_not_ready(
    history: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = filling.Filling.read
    calls = iter([True, False])

    def forget_behind(self: filling.Filling) -> None:
        read(self)
        if next(calls):
            forget_in_the_log_alone(history)

    monkeypatch.setattr(filling.Filling, "read", forget_behind)
    wish(history)
    with history.lent() as connection:
        fill_all(history, connection)
        states = [copy.state for copy in find_copies(connection)]
        assert "ready" not in states
        fill_all(history, connection)
        [copy] = find_copies(connection)
        last = settled(connection)
    assert (copy.state, copy.forgotten_up_to) == ("ready", last)
