"""The relay runs what has lost its message, many streams by one commit."""

import multiprocessing
import threading
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from domain.accounts.commands import OpenAccount
from eventstore.journal.drain import drain
from eventstore.journal.finishing import DrainResult
from eventstore.projections.generations import SEVERAL, live_generations
from eventstore.rebuilding.comparing import compare_folds
from readmodels import order_list
from tasks import commands
from tasks.accept import accept
from tasks.relay import STREAMS_TOGETHER, Relay
from tasks.shop.wiring import Shop
from tests.support.desk import Do, alice, place
from tests.support.waiting import wait_until

COUNT = STREAMS_TOGETHER + 5


@pytest.fixture
def relay(shop: Shop) -> Relay:
    """A relay that has seen once what waits for longer than it should."""
    for number in range(COUNT):
        command = OpenAccount(account_id=f"A{number}", currency="EUR")
        accept(shop, command, key=str(number), principal="staff")
    with shop.engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE commands SET accepted_at = accepted_at - interval '1 min'")
        )
    relay = Relay(shop, multiprocessing.get_context("spawn").Value("d", 0.0))
    relay.sweep(threading.Event())
    return relay


def counted(shop: Shop, what: str) -> Any:
    with shop.engine.connect() as connection:
        return connection.scalar(sa.text(f"SELECT count(DISTINCT {what}) FROM events"))


def by_relay(shop: Shop) -> Any:
    query = "SELECT count(*) FROM commands WHERE ran_by ~ '^relay:' AND position > 0"
    with shop.engine.connect() as connection:
        return connection.scalar(sa.text(query))


def test_what_is_found_twice_is_run_many_streams_by_one_commit(
    shop: Shop, relay: Relay
) -> None:
    assert by_relay(shop) == 0
    relay.sweep(threading.Event())

    assert by_relay(shop) == COUNT
    assert counted(shop, "xmin::text") == 2


def test_streams_that_cannot_be_drained_together_are_drained_alone(
    shop: Shop, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drain_one(
        connection: Any, command_ids: Sequence[UUID], *others: Any, **more: Any
    ) -> DrainResult:
        if len(command_ids) > 1:
            raise ZeroDivisionError
        return drain(connection, command_ids, *others, **more)

    monkeypatch.setattr(commands, "drain", drain_one)
    relay.sweep(threading.Event())

    # The one that each set was asked for rests for a moment, as after any error.
    assert by_relay(shop) == counted(shop, "xmin::text") == COUNT - 2


def test_a_reader_that_stopped_is_tried_again_though_nothing_else_happens(
    shop: Shop, do: Do
) -> None:
    """Without beat and without commands nobody else would."""
    with shop.lent() as connection:
        connection.execute("ALTER TABLE readmodels.order_list_g1 RENAME TO elsewhere")
    do(alice, place)
    with shop.lent() as connection:
        connection.execute("ALTER TABLE readmodels.elsewhere RENAME TO order_list_g1")
    relay = Relay(shop, multiprocessing.get_context("spawn").Value("d", 0.0))

    def is_read() -> bool:
        relay.next_look = 0.0
        relay.sweep(threading.Event())
        with shop.engine.connect() as connection:
            return len(order_list.find(connection).rows) == 1

    with shop.engine.connect() as pages:
        assert not order_list.find(pages).rows
    wait_until(is_read, "it is tried again")


def test_rows_that_other_code_has_read_on_are_nobodys_rows_again(
    shop: Shop, do: Do
) -> None:
    """Code that was put back would take for its own what the other has made."""
    do(alice, place)
    with shop.lent() as connection:
        mine = dict(connection.execute("SELECT read_model, fold_version FROM fillings"))
        connection.execute(
            "UPDATE fillings SET fold_version = 'other' WHERE read_model = 'order_list'"
        )

        Relay(shop, multiprocessing.get_context("spawn").Value("d", 0.0)).sweep(
            threading.Event()
        )

        noted = dict(
            connection.execute("SELECT read_model, fold_version FROM fillings")
        )
        assert noted == {**mine, "order_list": SEVERAL}
        live = live_generations(connection)["order_list"].number
        assert compare_folds(connection, f"order_list_g{live}", "customers_g1") == (
            "changed"
        )
