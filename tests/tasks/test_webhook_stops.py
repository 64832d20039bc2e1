"""A webhook stops after an hour, at 410 or by an operator, and goes on."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from eventstore.log.events import RecordedEvent
from tasks.shop.wiring import Shop
from tasks.webhooks.attempts import Result, pause_after
from tasks.webhooks.open_stream import OpenStream, open_at
from tasks.webhooks.posting import Answer
from tasks.webhooks.registry import (
    WebhookRefused,
    pause_webhook,
    resume_webhook,
    skip_failed,
)
from tests.support.following import append_events, append_to, ids_in_log
from tests.support.receivers import (
    add,
    has_stopped,
    receiving,
    sending,
    standing_of,
)
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("hurried")


def test_pauses_double_up_to_five_minutes_less_a_half_by_chance() -> None:
    pauses = [[pause_after(tries) for _ in range(50)] for tries in range(1, 30)]

    for number, some in enumerate(pauses):
        longest = min(0.02 * 2**number, 0.1)
        assert longest / 2 <= min(some) < max(some) <= longest
    assert pause_after(1, asked=0.05) == 0.05
    assert pause_after(1, asked=10**9) == 0.1


def test_what_fails_for_an_hour_stops_the_webhook_and_resuming_goes_on(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.webhooks.open_stream.MAX_SECONDS", 0.3)
    with receiving(1) as (receiver,), shop.lent() as log:
        receiver.respond = lambda r: 500 if r.event["stream"] == "order-2" else 204
        append_to(log, "order-1", 1)
        append_to(log, "order-2", 1, 2)
        add(shop, "crm", receiver.url)
        with sending(shop):
            wait_until(lambda: has_stopped(shop), "it stops")
            stopped = standing_of(shop)
            append_to(log, "order-3", 1)
            came = len(receiver.ids)
            receiver.respond = lambda _: 204
            assert resume_webhook(log, "crm")
            wait_until(lambda: not standing_of(shop).behind, "it goes on")
            wait_until(lambda: not standing_of(shop).streams, "all is delivered")

    assert "event 2 of order-2 failed" in (stopped.stopped_because or "")
    assert "500 Internal Server Error" in (stopped.stopped_because or "")
    assert stopped.failing[0].tries > 2
    assert standing_of(shop).state == "active"
    later = [(r.event["stream"], r.event["version"]) for r in receiver.requests[came:]]
    assert sorted(later) == [("order-2", 1), ("order-2", 2), ("order-3", 1)]


def test_a_pause_goes_on_where_it_was_when_the_sender_is_started_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not sent at each start, and restarts bring no webhook to its end."""
    monkeypatch.setattr("tasks.webhooks.attempts.FIRST_PAUSE", 600.0)
    monkeypatch.setattr("tasks.webhooks.attempts.MAX_PAUSE", 600.0)
    with receiving(1) as (receiver,), shop.lent() as log:
        receiver.respond = lambda r: 500 if r.event["stream"] == "order-1" else 204
        append_to(log, "order-1", 1)
        add(shop, "crm", receiver.url)
        for number in range(2, 7):
            append_to(log, f"order-{number}", 1)
            with sending(shop):
                wait_until(lambda n=number: len(receiver.ids) == n, "it sends")  # type: ignore[misc]
                wait_until(lambda: len(standing_of(shop).streams) == 1, "it is noted")
        (stream,) = standing_of(shop).streams
        assert receiver.streams()["order-1"] == [1]
        assert stream.tries == 1
        assert 200 < stream.pause < 600
        assert 0 < stream.waited < 60
        resume_webhook(log, "crm")
        with sending(shop):
            wait_until(lambda: receiver.streams()["order-1"] == [1, 1], "at once")


def test_the_time_that_is_waited_is_counted_as_it_passes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [1_000.0]
    monkeypatch.setattr("tasks.webhooks.open_stream.time.monotonic", lambda: now[0])
    monkeypatch.setattr("tasks.webhooks.open_stream.pause_after", lambda *_: 100.0)
    metadata = f'{{"event_id": "{uuid4()}"}}'
    event = RecordedEvent(7, "order-1", "Paid", 1, "{}", metadata, datetime.now(UTC))
    opened = open_at(event, has_more=False)
    failure = Result("order-1", 0, Answer("answered", "500"), 2.0)
    assert opened.is_due(now[0])
    opened.note_failure(failure)
    assert (opened.progress.waited, opened.progress.pause) == (2.0, 100.0)
    now[0] += 60
    opened.count_pause(now[0])
    assert (opened.progress.waited, opened.progress.pause) == (62.0, 40.0)

    # For nine hours nobody sends.
    now[0] += 9 * 3_600
    again = OpenStream(event, False, opened.progress)
    assert not again.is_due(now[0] + 39)
    assert again.is_due(now[0] + 40)
    now[0] += 50
    again.note_failure(failure)
    assert again.progress.waited == 104.0


def test_an_operator_may_pass_over_what_failed(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.webhooks.open_stream.MAX_SECONDS", 0.1)
    with receiving(1) as (receiver,), shop.lent() as log:
        receiver.respond = lambda r: 422 if r.event["position"] == 1 else 204
        append_to(log, "order-1", 1, 2)
        add(shop, "crm", receiver.url)
        with sending(shop):
            wait_until(lambda: has_stopped(shop), "it stops")
            assert skip_failed(log, "crm", ["order-1"]) == [("order-1", 1)]
            resume_webhook(log, "crm")
            wait_until(lambda: not standing_of(shop).streams, "it goes on")

    assert receiver.streams()["order-1"][-1] == 2
    assert standing_of(shop).outcomes["delivered"] == 1


def test_only_the_streams_that_are_named_are_passed_over(shop: Shop) -> None:
    """Another one that failed once, a second ago, is tried again."""
    failing = {"order-1", "order-2"}
    with receiving(1) as (receiver,), shop.lent() as log:
        receiver.respond = lambda r: 500 if r.event["stream"] in failing else 204
        append_to(log, "order-1", 1, 2)
        append_to(log, "order-2", 1, 2)
        add(shop, "crm", receiver.url)
        with sending(shop):
            wait_until(lambda: len(standing_of(shop).failing) == 2, "both fail")
            with pytest.raises(WebhookRefused, match="no event of order-3 has failed"):
                skip_failed(log, "crm", ["order-1", "order-3"])
            with log.transaction():
                skip_failed(log, "crm", ["order-1"])
                resume_webhook(log, "crm")
            failing.clear()
            wait_until(lambda: standing_of(shop).outcomes.get("delivered") == 3, "on")
            wait_until(lambda: not standing_of(shop).streams, "the rest is delivered")

    assert list(dict.fromkeys(receiver.streams()["order-2"])) == [1, 2]
    assert receiver.streams()["order-1"][-1] == 2


def test_410_stops_at_once(shop: Shop) -> None:
    with receiving(1) as (receiver,), shop.lent() as log:
        receiver.respond = lambda _: 410
        append_to(log, "order-1", 1, 2, 3)
        add(shop, "crm", receiver.url)
        with sending(shop):
            wait_until(lambda: has_stopped(shop), "it stops")

    assert len(receiver.ids) == 1
    assert standing_of(shop).stopped_because == "the receiver wants no more: 410 Gone"


def test_who_is_paused_gets_nothing_and_then_all_that_was_missed(shop: Shop) -> None:
    with receiving(2) as (receiver, other), shop.lent() as log:
        add(shop, "crm", receiver.url)
        add(shop, "other", other.url)
        with sending(shop) as sender:
            append_events(log, 1)
            wait_until(lambda: receiver.ids, "it comes")
            pause_webhook(log, "crm")
            wait_until(lambda: list(sender.channels) == ["other"], "it is noticed")
            append_events(log, 3, first=2)
            wait_until(lambda: len(other.ids) == 4, "another gets them")
            assert len(receiver.ids) == 1
            resume_webhook(log, "crm")
            wait_until(lambda: len(receiver.ids) == 4, "it gets them")
        ids = ids_in_log(log)

    assert sorted(receiver.ids) == sorted(ids)


def test_after_a_pause_nothing_begins_that_was_not_handed_over(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also before the sender has listed the webhooks again."""
    monkeypatch.setattr("tasks.webhooks.sender.SECONDS_BETWEEN_LISTS", 60)
    with receiving(2) as (receiver, other), shop.lent() as log:
        receiver.respond = lambda _: 500
        append_to(log, "order-1", 1)
        add(shop, "crm", receiver.url)
        add(shop, "other", other.url)
        with sending(shop) as sender:
            wait_until(lambda: len(receiver.ids) > 2, "it is tried again")
            pause_webhook(log, "crm")
            tried = len(receiver.ids)
            for number in range(2, 12):
                append_events(log, 1, first=number)
                wait_until(lambda n=number: len(other.ids) == n, "others go on")  # type: ignore[misc]
            assert "crm" in sender.channels

    assert len(receiver.ids) <= tried + 1
    assert set(receiver.streams()) == {"order-1"}


def test_who_is_resumed_gets_no_event_twice_at_a_time(shop: Shop) -> None:
    """The earlier requests end first, though their answers take long."""
    with receiving(2) as (receiver, other), shop.lent() as log:
        receiver.respond = receiver.hang
        append_to(log, "order-1", 1, 2)
        add(shop, "crm", receiver.url)
        add(shop, "other", other.url)
        with sending(shop) as sender:
            wait_until(lambda: receiver.under_way, "it is under way")
            former = sender.channels["crm"]
            resume_webhook(log, "crm")
            wait_until(lambda: former.is_gone, "it is noticed")
            for number in range(2, 6):
                append_events(log, 1, first=number)
                wait_until(lambda n=number: len(other.ids) == n + 1, "others go on")  # type: ignore[misc]
            assert len(receiver.ids) == 1
            receiver.is_over.set()
            wait_until(lambda: not standing_of(shop).behind, "it goes on")
            wait_until(lambda: not standing_of(shop).streams, "all is delivered")
            assert sender.channels["crm"] is not former

    # At least once: nobody took note of the first answer.
    assert receiver.streams()["order-1"] == [1, 1, 2]


def test_a_log_without_the_last_event_stops_the_webhook(shop: Shop) -> None:
    """As one that was restored: its events at these positions are others."""
    with receiving(1) as (receiver,), shop.lent() as log:
        append_events(log, 3)
        add(shop, "crm", receiver.url)
        with sending(shop):
            wait_until(lambda: not standing_of(shop).behind, "all is delivered")
            wait_until(lambda: not standing_of(shop).streams, "all is delivered")
        log.execute(
            """
            ALTER TABLE events DISABLE TRIGGER USER;
            UPDATE events SET metadata = jsonb_set(
                metadata, '{event_id}', to_jsonb(gen_random_uuid())
            );
            ALTER TABLE events ENABLE TRIGGER USER;
            """
        )
        with sending(shop):
            wait_until(lambda: has_stopped(shop), "it stops")
        because = standing_of(shop).stopped_because or ""

    assert "the log has not the event at 3 that was sent last" in because
    assert "recount webhooks resume crm --after" in because
    assert len(receiver.ids) == 3
