"""Senders that are killed or frozen, and two at once."""

from contextlib import closing
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from tasks.shop.connections import connect
from tasks.shop.wiring import Shop
from tasks.webhooks.channel import MAX_OPEN_STREAMS, Channel
from tasks.webhooks.sender import Sender
from tasks.webhooks.turn import is_taken, take_turn
from tests.support.following import append_events, append_to, ids_in_log
from tests.support.receivers import (
    LOOPBACK,
    add,
    receiving,
    sending,
    standing_of,
)
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("hurried")


def test_one_sends_at_a_time_and_another_when_it_is_gone(shop: Shop) -> None:
    url = shop.settings.database_url
    with shop.lent() as log, closing(connect(url)) as first:
        assert not is_taken(log)
        assert take_turn(first)
        with closing(connect(url)) as second:
            assert is_taken(log)
            assert not take_turn(second)
            first.close()
            wait_until(lambda: take_turn(second), "the other takes over")


def test_the_lock_of_a_sender_that_is_frozen_is_free_after_a_while(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.webhooks.turn.MAX_SILENCE", "300ms")
    url = shop.settings.database_url
    with closing(connect(url)) as frozen, closing(connect(url)) as other:
        assert take_turn(frozen)
        wait_until(lambda: take_turn(other), "the other takes over")
        with pytest.raises(psycopg.OperationalError):
            frozen.execute("UPDATE webhook_progress SET position = 0")


def senders_die(shop: Shop, rounds: int) -> tuple[list[str], list[str]]:
    """Kill so many senders one after the other; return all ids, and what came."""
    settings = replace(shop.settings, webhook_networks=(LOOPBACK,))
    local = replace(shop, settings=settings)
    with receiving(1) as (receiver,), shop.lent() as log:
        for version in range(1, 6):
            for number in range(1, 21):
                append_to(log, f"order-{number}", version)
        add(shop, "crm", receiver.url)
        for _ in range(rounds):
            with closing(connect(settings.database_url)) as session:
                assert take_turn(session)
                sender = Sender(local, session)
                for _ in range(8):
                    sender.step()
                # What is under way is answered, and nobody takes note of it.
                for channel in sender.channels.values():
                    channel.threads.shutdown(wait=True)
        with sending(shop):
            wait_until(lambda: not standing_of(shop).behind, "it goes on")
            wait_until(lambda: not standing_of(shop).streams, "it goes on")
        for versions in receiver.streams().values():
            assert list(dict.fromkeys(versions)) == [1, 2, 3, 4, 5]
        return ids_in_log(log), receiver.ids


def test_a_sender_that_dies_repeats_at_most_what_was_under_way(shop: Shop) -> None:
    """It is killed with answers that it has, and has not stored."""
    rounds = 6
    ids, came = senders_die(shop, rounds)

    assert sorted(set(came)) == sorted(ids)
    assert 0 < len(came) - len(ids) <= rounds * MAX_OPEN_STREAMS


def test_a_sender_that_stores_its_place_too_late_repeats_more(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control: nothing is stored before the next events are sent."""
    save, saved = Channel.save, iter(range(10_000))

    def save_seldom(channel: Channel, *given: Any, **more: Any) -> None:
        if next(saved) % 20 == 19:
            save(channel, *given, **more)

    monkeypatch.setattr(Channel, "save", save_seldom)
    rounds = 1
    settings = replace(shop.settings, webhook_networks=(LOOPBACK,))
    with receiving(1) as (receiver,), shop.lent() as log:
        for version in range(1, 11):
            append_to(log, "order-1", version)
            append_to(log, "order-2", version)
        add(shop, "crm", receiver.url)
        for _ in range(rounds + 1):
            with closing(connect(settings.database_url)) as session:
                sender = Sender(replace(shop, settings=settings), session)
                until = len(receiver.ids) + 14
                while len(receiver.ids) < until:
                    sender.step()
                for channel in sender.channels.values():
                    channel.threads.shutdown(wait=True)
        repeated = len(receiver.ids) - len(set(receiver.ids))

    assert repeated > rounds * MAX_OPEN_STREAMS


def test_two_senders_without_the_lock_send_everything_twice(shop: Shop) -> None:
    """Negative control: nobody has taken the turn."""
    settings = replace(shop.settings, webhook_networks=(LOOPBACK,))
    local = replace(shop, settings=settings)
    url = settings.database_url
    with (
        receiving(1) as (receiver,),
        shop.lent() as log,
        closing(connect(url)) as one,
        closing(connect(url)) as other,
    ):
        append_events(log, 20)
        add(shop, "crm", receiver.url)
        senders = [Sender(local, one), Sender(local, other)]

        def is_over() -> bool:
            for sender in senders:
                sender.step()
            return len(set(receiver.ids)) == 20

        wait_until(is_over, "all of them come")
        for sender in senders:
            sender.wind_up()

    assert len(receiver.ids) - 20 > MAX_OPEN_STREAMS
