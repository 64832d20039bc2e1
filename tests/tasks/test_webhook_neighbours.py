"""A stream or a receiver that fails, hangs or is slow is in nobody's way."""

import time
from typing import Any

import pytest

from tasks.shop.event_feed import EventFilter
from tasks.shop.wiring import Shop
from tasks.webhooks.channel import MAX_OPEN_STREAMS
from tests.support.following import append_events, append_to
from tests.support.receivers import (
    Receiver,
    Request,
    add,
    hurry,
    receiving,
    sending,
    standing_of,
)
from tests.support.waiting import wait_until


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


def test_an_event_that_fails_holds_up_its_stream_and_no_other(shop: Shop) -> None:
    failing = {"order-1"}

    def respond(request: Request) -> int:
        return 500 if request.event["stream"] in failing else 204

    with receiving(1) as (receiver,), shop.lent() as log:
        receiver.respond = respond
        append_to(log, "order-1", 1, 2, 3)
        append_to(log, "order-2", 1, 2, 3)
        add(shop, "crm", receiver.url)
        with sending(shop):
            wait_until(lambda: len(receiver.ids) > 7, "the first is tried again")
            assert receiver.streams()["order-2"] == [1, 2, 3]
            assert set(receiver.streams()["order-1"]) == {1}
            (stream,) = standing_of(shop).failing
            assert (stream.stream, stream.position) == ("order-1", 1)
            assert stream.error == "500 Internal Server Error"
            # The place is behind them all, and the lag is that of the first one.
            assert standing_of(shop).position == 6
            assert standing_of(shop).seconds > 0
            failing.clear()
            wait_until(lambda: not standing_of(shop).streams, "it goes on")
        tried = [r for r in receiver.requests if r.event["stream"] == "order-1"]

    assert receiver.streams()["order-1"][-3:] == [1, 2, 3]
    assert len({request.id for request in tried}) == 3
    times = [int(request.headers["webhook-timestamp"]) for request in tried]
    assert times == sorted(times)


def test_a_receiver_that_is_away_gets_no_more_than_a_few_streams(shop: Shop) -> None:
    with receiving(1) as (receiver,), shop.lent() as log:
        receiver.respond = lambda _: 503
        append_events(log, 50)
        add(shop, "crm", receiver.url)
        with sending(shop):
            wait_until(lambda: len(receiver.ids) > 4 * MAX_OPEN_STREAMS, "it is tried")
            assert len(set(receiver.ids)) == MAX_OPEN_STREAMS
            receiver.respond = lambda _: 204
            wait_until(lambda: len(set(receiver.ids)) == 50, "it gets them")


def test_one_receiver_of_twenty_that_hangs_delays_nobody(shop: Shop) -> None:
    count = 40
    with receiving(20) as receivers, shop.lent() as log:
        hanging, others = receivers[0], receivers[1:]
        hanging.respond = hanging.hang
        for number, receiver in enumerate(receivers):
            add(shop, f"number{number}", receiver.url)
        with sending(shop):
            wait_until(lambda: not standing_of(shop, "number1").behind, "it is ready")
            append_events(log, MAX_OPEN_STREAMS)
            wait_until(lambda: hanging.under_way == MAX_OPEN_STREAMS, "one hangs")
            began = time.monotonic()
            append_events(log, count, first=1_000)
            wanted = count + MAX_OPEN_STREAMS
            wait_until(
                lambda: all(len(one.requests) >= wanted for one in others),
                "all others have everything",
            )
            seconds = time.monotonic() - began
            print(f"{count} events to 19 receivers in {seconds:.2f} s, while one hangs")
            assert hanging.under_way == MAX_OPEN_STREAMS
            hanging.is_over.set()

    for receiver in others:
        assert len(receiver.ids) == len(set(receiver.ids)) == wanted
    # It hung all the time, and one delivery alone would have taken 15 s.
    assert seconds < 14


def test_a_bug_stops_its_webhook_and_no_other(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fits(selection: Any, event: Any) -> bool:
        if selection.wanted.category == "order":
            raise ZeroDivisionError
        return True

    monkeypatch.setattr("tasks.webhooks.selection.Selection.fits", fits)
    with receiving(2) as (broken, other), shop.lent() as log:
        append_events(log, 1)
        add(shop, "broken", broken.url, wanted=EventFilter(category="order"))
        add(shop, "other", other.url)
        with sending(shop):
            wait_until(lambda: other.ids, "the other gets it")
            wait_until(lambda: standing_of(shop, "broken").state == "stopped", "stops")

    stopped = standing_of(shop, "broken")
    assert "ZeroDivisionError" in (stopped.stopped_because or "")
    assert stopped.position == 0


def test_a_receiver_may_be_slow_and_still_gets_everything_once(shop: Shop) -> None:
    def respond(_: Request) -> int:
        time.sleep(0.05)
        return 200

    with Receiver(respond).serving() as receiver, shop.lent() as log:
        append_events(log, 40)
        add(shop, "crm", receiver.url)
        with sending(shop):
            wait_until(lambda: standing_of(shop).outcomes.get("delivered") == 40, "all")

    assert len(receiver.ids) == len(set(receiver.ids)) == 40
    assert 2 <= receiver.most_under_way <= MAX_OPEN_STREAMS
