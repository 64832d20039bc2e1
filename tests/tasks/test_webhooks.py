"""Events come to the receivers of webhooks: each once, in order, as in the feed."""

from typing import Any
from uuid import UUID, uuid5

import msgspec
import pytest
from flask.testing import FlaskClient

from domain.customers.commands import ForgetCustomer
from eventstore.log.append import append
from tasks.shop.event_feed import ALL, START, EventFilter, find_end
from tasks.shop.published_events import MASKED, publish_event
from tasks.shop.wiring import Shop
from tasks.webhooks.channel import MAX_OPEN_STREAMS
from tasks.webhooks.progress import has_active, save_progress, stop_unchanged
from tasks.webhooks.registry import add_webhook, remove_webhook
from tests.support.desk import Do, alice, pay, place, rename
from tests.support.following import append_events, append_to, ids_in_log, new_event
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


def test_every_event_comes_once_and_those_of_a_stream_in_order(shop: Shop) -> None:
    streams = [f"order-{number}" for number in range(1, 21)]
    with receiving(1) as (receiver,), shop.lent() as log:
        for version in range(1, 6):
            for stream in streams:
                append_to(log, stream, version)
        add(shop, "crm", receiver.url)
        with sending(shop):
            wait_until(lambda: len(receiver.ids) == 100, "what was there comes")
            for stream in streams:
                append_to(log, stream, 6, 7)
            wait_until(lambda: len(receiver.ids) == 140, "what is new comes")
        ids = ids_in_log(log)

    assert sorted(receiver.ids) == sorted(ids)
    assert receiver.streams() == {stream: [*range(1, 8)] for stream in streams}
    assert receiver.most_under_way <= MAX_OPEN_STREAMS
    standing = standing_of(shop)
    assert (standing.behind, standing.seconds, standing.streams) == (0, 0, [])
    assert standing.outcomes == {"delivered": 140}
    assert standing.last_answer == "204 No Content"


def test_an_event_is_sent_as_the_feed_shows_it(
    client: FlaskClient, shop: Shop, do: Do
) -> None:
    do(alice, place, pay)
    with receiving(2) as (masked, shown):
        add(shop, "masked", masked.url)
        add(shop, "shown", shown.url, is_personal=True)
        with sending(shop):
            wait_until(lambda: len(masked.ids) == len(shown.ids) == 3, "they come")
    feed = client.get("/api/events").get_json()["events"]
    in_turn = sorted(shown.requests, key=lambda one: one.event["position"])

    # This client is local, and sees what is personal.
    assert [request.event for request in in_turn] == feed
    assert [request.id for request in in_turn] == [one["event_id"] for one in feed]
    (person,) = (r for r in masked.requests if r.event["type"] == "CustomerRegistered")
    assert person.event["data"]["name"] == MASKED
    assert b"Alice" not in b"".join(request.body for request in masked.requests)


def test_who_was_forgotten_meanwhile_is_forgotten_in_what_is_sent_again(
    shop: Shop, do: Do
) -> None:
    do(alice, rename)
    with receiving(1) as (receiver,):
        receiver.respond = lambda _: 500
        add(shop, "crm", receiver.url, is_personal=True)
        with sending(shop):
            wait_until(lambda: len(receiver.ids) > 1, "it is tried")
            do(ForgetCustomer(customer_id="ALICE"))
            receiver.respond = lambda _: 204
            wait_until(lambda: len(set(receiver.ids)) == 3, "all of it comes")
        by_type = {r.event["type"]: r.event for r in receiver.requests}

    assert b"Alice" in receiver.requests[0].body
    assert by_type["CustomerRegistered"]["personal"] == "forgotten"
    assert by_type["CustomerDetailsChanged"]["data"]["name"] == "(forgotten)"


@pytest.mark.parametrize(
    ("wanted", "types"),
    [
        (EventFilter(category="order"), ["OrderCreated", "PaymentReceived"]),
        (
            EventFilter(types=frozenset({"CustomerRegistered", "PaymentReceived"})),
            ["CustomerRegistered", "PaymentReceived"],
        ),
    ],
)
def test_only_the_events_that_are_wanted_are_sent(
    shop: Shop, do: Do, wanted: EventFilter, types: list[str]
) -> None:
    do(alice, place, pay)
    with receiving(1) as (receiver,):
        add(shop, "crm", receiver.url, wanted=wanted)
        with sending(shop):
            wait_until(lambda: not standing_of(shop).behind, "it is at the end")
            wait_until(lambda: len(receiver.ids) == 2, "they come")

    assert sorted(request.event["type"] for request in receiver.requests) == types


def test_it_may_begin_anywhere(shop: Shop) -> None:
    with receiving(2) as (middle, end), shop.lent() as log:
        append_events(log, 4)
        begin = find_end(log)
        append_events(log, 2, first=5)
        add(shop, "middle", middle.url, after=begin)
        add(shop, "end", end.url, after=find_end(log))
        append_events(log, 2, first=7)
        with sending(shop):
            wait_until(lambda: len(middle.ids) == 4, "those of the middle come")
            wait_until(lambda: len(end.ids) == 2, "those of the end come")
        ids = ids_in_log(log)

    assert sorted(middle.ids) == sorted(ids[4:])
    assert sorted(end.ids) == sorted(ids[6:])


def test_an_event_that_cannot_be_read_is_not_passed_over(shop: Shop) -> None:
    with receiving(1) as (receiver,), shop.lent() as log:
        wrapped = new_event("OrderGiftWrapped", "{}")
        append(log, [("order-1", wrapped)], expected={"order-1": 0})
        append_to(log, "order-2", 1)
        add(shop, "crm", receiver.url)
        with sending(shop):
            wait_until(lambda: standing_of(shop).failing, "it is noticed")
            wait_until(lambda: receiver.ids, "the other stream flows")
            standing = standing_of(shop)

    assert receiver.streams() == {"order-2": [1]}
    assert standing.failing[0].stream == "order-1"
    assert "UnknownEventType" in standing.failing[0].error
    assert standing.outcomes["unreadable"] >= 1


def test_an_event_that_is_upcast_to_several_comes_as_so_many_requests(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was delivered of it is not sent again when another part fails."""

    def split(event: Any, *_: Any) -> Any:
        (whole,) = publish_event(event, shop.deciders, None)
        yield whole
        yield msgspec.structs.replace(whole, event_id=uuid5(whole.event_id, "1"))

    failures = iter([500, 500])

    def respond(request: Request) -> int:
        is_second = request.id != request.event["causation_id"]
        return next(failures, 204) if is_second else 204

    monkeypatch.setattr("tasks.webhooks.selection.publish_event", split)
    monkeypatch.setattr(
        "tasks.webhooks.selection.publish_events", lambda events, *_: split(*events)
    )
    with Receiver(respond).serving() as receiver, shop.lent() as log:
        append_to(log, "order-1", 1, 2)
        add(shop, "crm", receiver.url)
        with sending(shop):
            wait_until(lambda: len(receiver.ids) == 6, "all parts come")
            wait_until(lambda: not standing_of(shop).streams, "it is over")
        first, third = ids_in_log(log)
    second, fourth = (str(uuid5(UUID(one), "1")) for one in (first, third))

    assert receiver.ids == [first, second, second, second, third, fourth]


def test_a_webhook_that_was_added_or_removed_is_noticed(shop: Shop) -> None:
    with receiving(2) as (first, second), shop.lent() as log, sending(shop) as sender:
        add(shop, "first", first.url)
        append_events(log, 1)
        wait_until(lambda: first.ids, "the first gets it")
        add(shop, "second", second.url)
        log.execute("DELETE FROM webhooks WHERE name = 'first'")
        wait_until(lambda: list(sender.channels) == ["second"], "it is noticed")
        append_events(log, 1, first=2)
        wait_until(lambda: len(second.ids) == 2, "the second gets both")

    assert len(first.ids) == 1


def test_another_webhook_under_a_removed_ones_name_is_another(shop: Shop) -> None:
    """The sender sees neither moment between: the name was never free."""
    with receiving(2) as (former, other), shop.lent() as log, sending(shop) as sender:
        add(shop, "crm", former.url, is_personal=True)
        append_events(log, 3)
        wait_until(lambda: standing_of(shop).outcomes.get("delivered") == 3, "it goes")
        replaced = sender.channels["crm"]
        with log.transaction():
            remove_webhook(log, "crm")
            add_webhook(
                log,
                "crm",
                other.url,
                wanted=ALL,
                is_personal=False,
                after=START,
                masters=shop.settings.master_keys,
            )
        wait_until(lambda: len(other.ids) == 3, "the other begins with the first event")
        assert not sender.channels["crm"].webhook.is_personal
        # What the former still stores is refused, though both are at turn 0.
        because = "it failed"
        stop_unchanged(log, replaced.progress, because)
        stored = save_progress(
            log, replaced.progress, last_answer=None, stopped_because=because
        )

    assert stored is None
    assert standing_of(shop).state == "active"
    assert standing_of(shop).outcomes["delivered"] == 3
    assert len(former.ids) == 3


def test_a_sender_without_webhooks_ends(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.webhooks.sender.SECONDS_WITHOUT_WEBHOOKS", 0.1)
    with shop.lent() as log, sending(shop) as sender:
        wait_until(lambda: sender.is_superfluous, "it has nothing to do")
        assert not has_active(log)
        add(shop, "crm", "https://example.com/")
        assert has_active(log)
