"""The history of an order: the events of its row, and from what to what an address."""

from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise

from eventstore.errors import EventStoreError
from readmodels.order_details import OrderDetailsView
from webapp.history.events import in_words, read_events
from webapp.history.filtering import (
    FieldChange,
    HistoryEntry,
    HistoryPage,
    history_asked,
    page_of,
    with_changes,
)
from webapp.outages import DATABASE_ERRORS

KIND_OF = {
    "OrderCreated": "placed",
    "OrderItemsChanged": "lines",
    "ShippingAddressChanged": "address",
    "PaymentReceived": "money",
    "PaymentVoided": "money",
    "PaymentRefunded": "money",
    "ParcelShipped": "shipping",
    "OrderShipped": "shipping",
    "TrackingCorrected": "shipping",
    "DeliveryConfirmed": "shipping",
    "OrderReturned": "returns",
    "CancellationPutOff": "cancelling",
    "OrderCancelled": "cancelling",
    "NoteAdded": "notes",
}
HAS_ADDRESS = ("OrderCreated", "ShippingAddressChanged")


def history_of(order: OrderDetailsView) -> HistoryPage:
    """Return the page of an order's history that the request asks for."""
    happened = [
        HistoryEntry(line=line, kinds=[KIND_OF.get(line.event, "others")])
        for line in order.history
    ]
    page = page_of(happened, history_asked())
    if any(one.line.event == "ShippingAddressChanged" for one in page.shown):
        # The history is there without it, too: from a store that has no log.
        with suppress(EventStoreError, *DATABASE_ERRORS):
            return with_changes(page, find_addresses(order))
    return page


def find_addresses(order: OrderDetailsView) -> dict[int, Sequence[FieldChange]]:
    """Return by version from which address to which an event changed it."""
    events = read_events(f"order-{order.order_id}", order.version, types=HAS_ADDRESS)
    return {
        new.recorded.version: [*in_words(["address"], old.event, new.event)]
        for old, new in pairwise(events)
    }
