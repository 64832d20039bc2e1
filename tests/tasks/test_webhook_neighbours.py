"""A stream or a receiver that fails, hangs or is slow is in nobody's way."""

import time
from contextlib import closing
from typing import Any

import psycopg
import pytest

from tasks.shop.connections import connect
from tasks.shop.event_feed import EventFilter
from tasks.shop.wiring import Shop
from tasks.webhooks.channel import MAX_OPEN_STREAMS
from tasks.webhooks.progress import find_stopped
from tasks.webhooks.sender import Sender
from tests.support.following import append_events, append_to
from tests.support.receivers import (
    Receiver,
    Request,
    add,
    receiving,
    sending,
    standing_of,
)
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("hurried")


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


REFUSE = """
CREATE FUNCTION refuse_broken() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'refused' USING ERRCODE = '{code}';
END
$$;
CREATE TRIGGER refuse_broken BEFORE UPDATE ON webhook_progress
    FOR EACH ROW WHEN (OLD.name = 'broken') EXECUTE FUNCTION refuse_broken();
"""


@pytest.mark.parametrize(
    "code", ["57014", "42501"], ids=["a time limit", "a missing right"]
)
def test_a_statement_of_one_webhook_that_fails_is_in_no_others_way(
    shop: Shop, code: str
) -> None:
    with receiving(2) as (broken, other), shop.lent() as log:
        add(shop, "broken", broken.url)
        add(shop, "other", other.url)
        log.execute(REFUSE.format(code=code))
        append_events(log, 1)
        with sending(shop) as sender:
            wait_until(lambda: other.ids, "the other gets it")
            wait_until(lambda: sender.rests, "it rests")
            append_events(log, 1, first=2)
            wait_until(lambda: len(other.ids) == 2, "the other gets more")
            # Nothing is sent before it is stored.
            assert broken.ids == []
            log.execute("DROP TRIGGER refuse_broken ON webhook_progress")
            wait_until(lambda: len(broken.ids) == 2, "it goes on by itself")
            wait_until(lambda: not sender.rests, "it rests no more")

    assert standing_of(shop, "broken").state == "active"
    assert len(other.ids) == 2


def test_a_lost_session_is_no_matter_of_one_webhook(shop: Shop) -> None:
    with receiving(1) as (receiver,), shop.lent() as log:
        append_events(log, 1)
        add(shop, "crm", receiver.url)
        with closing(connect(shop.settings.database_url)) as session:
            sender = Sender(shop, session)
            sender.list_webhooks()
            sender.goal = 1
            session.close()
            with pytest.raises(psycopg.OperationalError):
                sender.give_turn(sender.channels["crm"])


def test_a_row_that_cannot_be_read_stops_its_webhook_and_no_other(shop: Shop) -> None:
    with receiving(2) as (broken, other), shop.lent() as log:
        append_events(log, 1)
        add(shop, "broken", broken.url)
        add(shop, "other", other.url)
        wrong = '[{"stream": "order-1", "position": 1, "tries": "many"}]'
        log.execute(
            "UPDATE webhook_progress SET streams = %s WHERE name = 'broken'", (wrong,)
        )
        with sending(shop):
            wait_until(lambda: other.ids, "the other gets it")
            wait_until(lambda: find_stopped(log), "it stops")
        ((stored,),) = log.execute(
            "SELECT streams FROM webhook_progress WHERE name = 'broken'"
        ).fetchall()
        assert find_stopped(log) == {
            "broken": "error ValidationError: see the log of the relay"
        }

    assert stored[0]["tries"] == "many"
    assert broken.ids == []


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
