"""Copies of the past that people wait for: not too many each, and while they wait."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from eventstore.past.moments import Moment
from eventstore.past.wishes import count_wishes, want_copy
from readmodels import order_list
from tasks.shop.wiring import Shop
from tests.support.desk import Do, alice, place
from tests.support.waiting import wait_until
from webapp.current_shop import LOCAL
from webapp.past import making

DAYS = [datetime(2001, 2, day, tzinfo=UTC) for day in range(1, 9)]


@pytest.fixture(autouse=True)
def _nobody_waits(monkeypatch: pytest.MonkeyPatch, do: Do) -> None:
    monkeypatch.setattr(making, "MAX_SECONDS_TO_WAIT", 0)
    do(alice, place)


def ask(app: Flask, day: datetime) -> int:
    asked = {"as_of": day.isoformat()}
    return app.test_client().get("/api/orders", query_string=asked).status_code


def wish(shop: Shop, days: list[datetime], who: str = LOCAL) -> None:
    with shop.lent() as connection:
        for day in days:
            moment = Moment(at=day, up_to=1)
            want_copy(connection, order_list.projection, moment, who)


def wishes(shop: Shop) -> int:
    with shop.lent() as connection:
        return count_wishes(connection, LOCAL, but=Moment(up_to=0))


@contextmanager
def turn_taken(shop: Shop) -> Iterator[None]:
    """Be a request of the same person that is about to wish."""
    with shop.lent() as connection, connection.transaction():
        connection.execute(f"SELECT pg_advisory_xact_lock({making.LOCK})", [LOCAL])
        yield


def is_waited_for(shop: Shop) -> bool:
    with shop.lent() as connection:
        row = connection.execute(
            "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            " AND database = (SELECT oid FROM pg_database"
            " WHERE datname = current_database())"
        ).fetchone()
    return row is not None


def test_requests_at_once_do_not_wish_for_more_than_one_may(
    app: Flask, shop: Shop
) -> None:
    with ThreadPoolExecutor(1) as pool:
        with turn_taken(shop):
            answer = pool.submit(ask, app, DAYS[-1])
            wait_until(lambda: is_waited_for(shop), "the request waits for its turn")
            wish(shop, DAYS[: making.MAX_MOMENTS])
        assert answer.result() == 429
    assert wishes(shop) == making.MAX_MOMENTS


def test_a_wish_of_one_who_left_is_given_up(app: Flask, shop: Shop) -> None:
    wish(shop, DAYS[: making.MAX_MOMENTS])
    assert ask(app, DAYS[-1]) == 429

    age(shop, making.SECONDS_OF_WISH + 1)

    assert ask(app, DAYS[-1]) == 503
    assert wishes(shop) == 1


def test_a_wish_lives_while_somebody_asks_again(app: Flask, shop: Shop) -> None:
    wish(shop, DAYS[:2])
    age(shop, making.SECONDS_OF_WISH - 1)
    assert ask(app, DAYS[0]) == 503
    age(shop, 2)

    assert ask(app, DAYS[-1]) == 503

    # The first was asked for again, the second was not, the third is new.
    assert wishes(shop) == 2


def test_what_is_being_filled_is_not_given_up(app: Flask, shop: Shop) -> None:
    wish(shop, DAYS[:1])
    with shop.lent() as connection:
        connection.execute("UPDATE past_copies SET state = 'filling'")
    age(shop, making.SECONDS_OF_WISH + 1)

    assert ask(app, DAYS[-1]) == 503
    assert wishes(shop) == 2


def age(shop: Shop, seconds: int) -> None:
    """Let so much time pass for all wishes."""
    with shop.lent() as connection:
        connection.execute(
            "UPDATE past_copies SET used_at = used_at - %s",
            [timedelta(seconds=seconds)],
        )
