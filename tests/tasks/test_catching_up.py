"""Catching up: one at a time, and nothing that was appended is left unread."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from eventstore.signals import CATCH_UP, is_raised
from eventstore.subscriptions.reader import Reader
from eventstore.subscriptions.shared_pass import SharedPass
from readmodels import order_list
from tasks import catch_up, commands
from tasks.accept import accept
from tasks.shop import rebuild
from tasks.shop.wiring import Shop
from tests.support.desk import Do, alice, place
from tests.support.engine import connect
from tests.support.fence import INSERT


def count(shop: Shop) -> int:
    with shop.engine.connect() as connection:
        return len(order_list.find(connection, limit=200).rows)


def append_order(shop: Shop, key: str) -> None:
    accepted = accept(shop, place, key=key, principal="staff")
    commands.run(shop, [accepted.command_id])


def test_a_second_one_leaves_while_another_has_its_turn(shop: Shop, do: Do) -> None:
    do(alice)
    append_order(shop, "an order")
    with shop.lent() as other:
        assert catch_up.take_turn(other)
        assert catch_up.run(shop)
        assert count(shop) == 0

        catch_up.end_turn(other)
    assert catch_up.run(shop)
    assert count(shop) == 1


def test_the_turn_of_one_who_died_is_free(shop: Shop, do: Do) -> None:
    do(alice)
    append_order(shop, "an order")

    def die() -> None:
        with shop.lent() as other:
            assert catch_up.take_turn(other)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        die()
    assert catch_up.run(shop)
    assert count(shop) == 1


def test_whoever_ends_looks_once_more(
    shop: Shop, do: Do, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An order comes after the last look, and who was sent for it has left already."""
    do(alice)
    append_order(shop, "an order")
    end_turn = catch_up.end_turn
    late = iter(["one more"])

    def be_late(connection: object) -> None:
        for key in late:
            append_order(shop, key)
            assert catch_up.run(shop)
        end_turn(connection)  # type: ignore[arg-type]

    monkeypatch.setattr(catch_up, "end_turn", be_late)
    assert catch_up.run(shop)
    assert count(shop) == 2


def test_each_of_many_writers_is_read_when_all_have_left(shop: Shop, do: Do) -> None:
    do(alice)
    start = threading.Barrier(6)

    def write_and_read(writer: int) -> None:
        start.wait(10)
        for number in range(8):
            append_order(shop, f"{writer} {number}")
            assert catch_up.run(shop)

    with ThreadPoolExecutor(6) as writers:
        list(writers.map(write_and_read, range(6)))
    assert count(shop) == 48


def test_who_finds_that_nothing_moves_does_not_wait_for_a_turn(
    shop: Shop, do: Do
) -> None:
    """Somebody was stopped in the middle of a turn: it will not end by itself."""
    do(alice)
    append_order(shop, "an order")
    with shop.lent() as stopped:
        assert catch_up.take_turn(stopped)
        assert catch_up.run(shop, in_turn=False)
        assert count(shop) == 1
        catch_up.end_turn(stopped)


def test_a_rebuild_in_the_middle_of_a_run_is_gone_along_with(
    shop: Shop, do: Do, monkeypatch: pytest.MonkeyPatch
) -> None:
    do(alice)
    append_order(shop, "an order")
    swaps = iter(["once"])

    read = Reader.read

    def be_overtaken(reader: Reader, *arguments: Any, **options: Any) -> SharedPass:
        done = read(reader, *arguments, **options)
        for _ in swaps:
            rebuild.rebuild(shop, order_list.projection, lambda _: None)
            append_order(shop, "one more")
        return done

    monkeypatch.setattr(Reader, "read", be_overtaken)
    assert catch_up.run(shop)
    assert count(shop) == 2


def test_who_held_back_what_others_wrote_is_read_when_it_ends(
    shop: Shop, do: Do, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer finds the turn taken; what it wrote is not settled at the last look."""
    do(alice)
    append_order(shop, "an order")
    end_turn = catch_up.end_turn
    late = iter(["one more"])
    with connect(shop.settings.database_url, autocommit=False) as slow:

        def be_late(connection: object) -> None:
            for key in late:
                # It holds the fence, so nothing behind it is settled.
                slow.execute(INSERT.encode(), ("slow-1", 1))
                accepted = accept(shop, place, key=key, principal="staff")
                ran = commands.run(shop, [accepted.command_id])
                assert ran.has_signalled
                assert catch_up.run(shop, is_brief=True)
            end_turn(connection)  # type: ignore[arg-type]

        monkeypatch.setattr(catch_up, "end_turn", be_late)
        assert catch_up.run(shop)
        slow.rollback()
    with shop.lent() as connection:
        assert not is_raised(connection, CATCH_UP)
