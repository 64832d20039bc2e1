"""How often a worker asks the database for a command, and what it may not keep."""

import re
from collections.abc import Callable
from typing import Any, NoReturn
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa

from eventstore.aggregates.loading import load
from eventstore.connection import driver_connection
from eventstore.errors import WrongExpectedVersion
from eventstore.journal import drain_together
from eventstore.journal import take as taking
from eventstore.personal.keyring import NO_PREFETCHED_KEYS
from tasks import commands
from tasks.accept import accept
from tasks.shop.wiring import Shop
from tests.support.desk import Do, alice, bob, place

Asked = Callable[[Callable[[], object]], list[str]]


@pytest.fixture
def asked(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Do some work and return the functions that its statements call."""

    def asked(work: Callable[[], object]) -> list[str]:
        statements: list[str] = []
        send = psycopg.Cursor.execute

        def execute(self: Any, query: Any, *arguments: Any, **options: Any) -> Any:
            statements.append(str(query))
            return send(self, query, *arguments, **options)

        with monkeypatch.context() as patch:
            patch.setattr(psycopg.Cursor, "execute", execute)
            work()
        calls = (re.findall(r"public\.(\w+)\(", one) for one in statements)
        return ["+".join(names) for names in calls if names]

    return asked


def accept_orders(shop: Shop, count: int) -> list[UUID]:
    return [
        accept(shop, place, key=f"order {number}", principal="local").command_id
        for number in range(count)
    ]


def outcomes(shop: Shop, command_ids: list[UUID]) -> list[tuple[str, str | None]]:
    query = sa.text(
        "SELECT status, error ->> 'rule' FROM commands WHERE id = ANY (:ids)"
    )
    with shop.engine.connect() as connection:
        rows = connection.execute(query, {"ids": command_ids}).all()
    return [(status, rule) for status, rule in rows]


def destroy_keys(shop: Shop, subject: str) -> None:
    with shop.engine.begin() as connection:
        connection.execute(
            sa.text("SELECT public.destroy_keys(ARRAY[:subject])"), {"subject": subject}
        )


def test_an_order_needs_three_round_trips(shop: Shop, do: Do, asked: Asked) -> None:
    do(alice)
    placing = accept_orders(shop, 1)

    assert asked(lambda: commands.run(shop, placing)) == ["take", "load", "finish"]
    assert outcomes(shop, placing) == [("succeeded", None)]


def test_so_do_ten_that_go_together(shop: Shop, do: Do, asked: Asked) -> None:
    do(alice)
    placing = accept_orders(shop, 10)
    calls = asked(lambda: commands.run(shop, placing[:1], ahead=10))

    assert calls == ["take_ahead", "load", "finish"]
    assert outcomes(shop, placing) == [("succeeded", None)] * 10


def test_a_customers_first_key_is_made_without_asking(shop: Shop, asked: Asked) -> None:
    registering = accept(shop, bob, key="bob", principal="local").command_id

    calls = asked(lambda: commands.run(shop, [registering]))
    assert [one for one in calls if one != "claimed"] == ["take", "finish"]
    assert outcomes(shop, [registering]) == [("succeeded", None)]


def test_a_customer_is_loaded_with_the_key_to_it(
    shop: Shop, do: Do, asked: Asked
) -> None:
    do(alice)
    loaded: list[Any] = []

    def read() -> None:
        with shop.engine.connect() as connection:
            driver = driver_connection(connection)
            loaded.append(load(driver, ["customer-ALICE"], shop.deciders))

    assert asked(read) == ["load+find_keys"]
    assert loaded[0].states["customer-ALICE"].details.name == "Alice"


def test_where_no_keys_come_along_they_are_asked_for(
    shop: Shop, do: Do, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    do(alice)
    placing = accept_orders(shop, 1)
    # As a database answers whose migration is still to come.
    monkeypatch.setattr(taking, "keys_of_commands", lambda _: NO_PREFETCHED_KEYS)
    calls = asked(lambda: commands.run(shop, placing))

    assert calls == ["take", "find_keys", "load", "finish"]
    assert outcomes(shop, placing) == [("succeeded", None)]


@pytest.mark.parametrize("together", [1, 3])
def test_who_was_forgotten_before_the_take_is_not_read(
    shop: Shop, do: Do, together: int
) -> None:
    do(alice)
    placing = accept_orders(shop, together)
    destroy_keys(shop, "customer-ALICE")
    commands.run(shop, placing)

    assert outcomes(shop, placing) == [("rejected", "SubjectForgotten")] * together


def test_who_is_forgotten_while_others_go_first_is_not_read(
    shop: Shop, do: Do, monkeypatch: pytest.MonkeyPatch
) -> None:
    do(alice)
    placing = accept_orders(shop, 3)

    def forget_and_refuse(*_: object) -> NoReturn:
        destroy_keys(shop, "customer-ALICE")
        raise WrongExpectedVersion("customer-ALICE", 1, 2)

    # They do not go together, and the keys that came with the take are from before.
    monkeypatch.setattr(drain_together, "append_and_release", forget_and_refuse)
    commands.run(shop, placing)

    assert outcomes(shop, placing) == [("rejected", "SubjectForgotten")] * 3
