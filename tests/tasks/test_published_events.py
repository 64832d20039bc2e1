"""An event as other services see it: in the shape of today, what is personal masked."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from domain.customers.commands import ForgetCustomer
from eventstore.log.events import RecordedEvent
from eventstore.log.read import read_stream
from eventstore.personal.keyring import Keyring
from tasks.shop.published_events import (
    MASKED,
    publish_events,
    recorded_types,
    shapes_of,
)
from tasks.shop.wiring import Shop
from tests.support.desk import Do, alice, bob, place


def recorded(shop: Shop, stream_id: str) -> list[RecordedEvent]:
    with shop.lent() as connection:
        return read_stream(connection, stream_id)


def masked(shop: Shop, events: Sequence[RecordedEvent]) -> list[dict[str, Any]]:
    found = publish_events(events, shop.deciders, None)
    return [msgspec.json.decode(msgspec.json.encode(event)) for event in found]


def shown(shop: Shop, events: Sequence[RecordedEvent]) -> list[dict[str, Any]]:
    with shop.lent() as connection:
        keyring = Keyring(connection, shop.deciders.masters)
        found = list(publish_events(events, shop.deciders, keyring))
    return [msgspec.json.decode(msgspec.json.encode(event)) for event in found]


def test_an_event_is_shown_with_all_that_places_it(shop: Shop, do: Do) -> None:
    do(alice, place)
    (event,) = recorded(shop, "order-1")
    (found,) = shown(shop, [event])
    metadata = msgspec.json.decode(event.metadata)

    data = found.pop("data")
    assert found == {
        "position": event.position,
        "event_id": metadata["event_id"],
        "stream": "order-1",
        "category": "order",
        "version": 1,
        "type": "OrderCreated",
        "schema": "3.0",
        "occurred_at": found["occurred_at"],
        "recorded_at": found["recorded_at"],
        "actor": "staff",
        "correlation_id": metadata["correlation_id"],
        "causation_id": metadata["causation_id"],
        "personal": "shown",
    }
    assert found["recorded_at"] is not None
    assert (data["total"], data["address"]["city"]) == (10_899, "London")


def test_who_may_not_see_people_gets_every_field_in_its_place(
    shop: Shop, do: Do
) -> None:
    do(alice, place)
    registered, order = masked(
        shop, [*recorded(shop, "customer-ALICE"), *recorded(shop, "order-1")]
    )

    assert registered["personal"] == order["personal"] == "masked"
    assert registered["actor"] is order["actor"] is None
    assert registered["data"]["name"] == MASKED
    assert registered["data"]["email"] is None
    assert order["data"]["address"]["city"] == MASKED
    assert (order["data"]["total"], order["data"]["customer_id"]) == (10_899, "ALICE")
    assert not any(text in str(order) for text in ("London", "Alice", "staff"))


def test_what_lies_in_the_clear_is_masked_too(shop: Shop, do: Do) -> None:
    do(alice)
    (event,) = recorded(shop, "customer-ALICE")
    data = '{"name": "Alice", "email": "alice@example.com", "fax": "030 12345"}'
    (found,) = masked(shop, [event._replace(data=data)])

    assert found["data"]["name"] == MASKED
    assert not any(text in str(found) for text in ("Alice", "example.com", "12345"))


def test_an_event_of_somebody_who_was_forgotten_says_so(shop: Shop, do: Do) -> None:
    do(alice)
    before = masked(shop, recorded(shop, "customer-ALICE"))
    do(ForgetCustomer(customer_id="ALICE"))
    registered, forgotten = shown(shop, recorded(shop, "customer-ALICE"))

    assert registered["personal"] == "forgotten"
    assert registered["data"]["name"] == "(forgotten)"
    assert (forgotten["type"], forgotten["personal"]) == ("CustomerForgotten", None)
    # What was shown masked never changes.
    assert masked(shop, recorded(shop, "customer-ALICE"))[:1] == before


def test_an_old_event_is_shown_in_the_shape_of_today(shop: Shop, do: Do) -> None:
    do(alice, place)
    (event,) = recorded(shop, "order-1")
    data = msgspec.json.decode(event.data)
    # As it was before there was a discount on all of it, and freight that is due.
    for name in ("discount", "freight", "terms", "carriage"):
        del data[name]
    old = event._replace(
        data=msgspec.json.encode(data).decode(),
        metadata=event.metadata.replace('"schema": "3.0"', '"schema": "1.0"'),
    )
    for (found,) in (masked(shop, [old]), shown(shop, [old])):
        assert found["schema"] == "3.0"
        assert (found["data"]["discount"], found["data"]["freight"]) == ("0.0", 0)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"stream_id": "elephant-1"}, "UnknownCategory"),
        ({"type": "OrderEaten"}, "UnknownEventType"),
        ({"data": '{"total": "much"}'}, "UnreadableEvent"),
        ({"data": '{"$personal": 3}'}, "TamperedEnvelope"),
    ],
)
def test_an_event_that_nobody_can_read_is_shown_as_that(
    shop: Shop, do: Do, change: dict[str, Any], error: str
) -> None:
    do(alice, place)
    (event,) = recorded(shop, "order-1")
    (found,) = masked(shop, [event._replace(**change)])

    assert (found["data"], found["unreadable"]) == (None, error)
    assert found["position"] == event.position


def test_a_key_that_is_lost_is_not_somebody_forgotten(shop: Shop, do: Do) -> None:
    do(alice)
    with shop.lent() as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("DELETE FROM vault.keys")
        connection.execute("RESET session_replication_role")
    do(bob)
    lost, found = shown(
        shop, [*recorded(shop, "customer-ALICE"), *recorded(shop, "customer-BOB")]
    )
    assert (lost["unreadable"], lost["data"]) == ("KeyLost", None)
    assert found["data"]["name"] == "Bob"


def test_who_asks_for_a_type_may_get_what_was_another(shop: Shop) -> None:
    # What has an upcaster might be anything today: the upcaster alone knows.
    assert recorded_types(shop.deciders, ["CustomerForgotten"]) == {
        "CustomerForgotten",
        "OrderCreated",
        "PaymentReceived",
    }


def test_the_shapes_are_called_the_same_each_time(shop: Shop) -> None:
    assert shapes_of(shop.deciders) == shapes_of(Shop(shop.settings).deciders)
