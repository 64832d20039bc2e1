"""The event that all of them append, and the databases that they append it to."""

import json
from uuid import uuid4

import msgspec

from eventstore.log.events import Metadata, NewEvent

DATA = json.dumps(
    {
        "customer_id": "ALICE",
        "items": [
            {"product": "RETRO-CLOCK", "quantity": 2, "unit_price": 4950},
            {"product": "LAVA-LAMP", "quantity": 1, "unit_price": 1250},
        ],
        "total": 11150,
        "address": {"street": "1 Retro Road", "city": "Bergen", "country": "Norway"},
        "currency": "EUR",
    }
)
"""An order of two lines, some 300 bytes."""

TYPE = "OrderCreated"
OF_A_STREAM = 10
"""Events that each stream gets, one append each."""

to_json = msgspec.json.Encoder().encode


def new_event() -> NewEvent:
    cause = uuid4()
    return NewEvent(
        type=TYPE,
        data=DATA,
        metadata=Metadata(
            event_id=uuid4(),
            correlation_id=cause,
            causation_id=cause,
            schema="1.0",
            actor="local",
        ),
    )
