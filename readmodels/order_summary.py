"""A line of the list of orders: what it says, and what an event changes of it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

from domain.address import Address
from domain.forgotten import FORGOTTEN
from domain.orders import events
from domain.orders.events import OrderEvent
from domain.orders.lines import Line
from eventstore.projections.projection import Fact
from readmodels.customer_on_list import CustomerOnList
from readmodels.row_words import joined, words_of_order, words_of_place
from readmodels.rows_of_orders import NO_STANDING, columns_of
from readmodels.words import words

MAX_PRODUCTS = 20
"""How many products a line names; it is found by those behind them, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSummaryView:
    """A line of the list; *total* is in minor units of *currency*."""

    order_id: Annotated[int, "The order's number"]
    customer_id: Annotated[str, "The number of the customer who ordered"]
    customer_name: Annotated[str, "Personal: the customer's name, as it is now"]
    customer_email: Annotated[str | None, "Personal: the e-mail address, as it is now"]
    total: Annotated[int, "What the order costs, freight included, in minor units"]
    due: Annotated[int, "What of it is still to be paid, in minor units"]
    credit: Annotated[int, "What was paid and can be refunded, in minor units"]
    currency: Annotated[str, "As in ISO 4217; most have 100 minor units"]
    status: Annotated[
        str,
        "The last of pending, paid, shipped, delivered, returned, cancelled",
    ]
    item_count: Annotated[int, "How many lines the order has"]
    parcels: Annotated[int, "How many parcels of it were shipped"]
    tracking_number: Annotated[str | None, "The carrier's number of the last parcel"]
    created_at: Annotated[datetime, "When it was placed"]
    terms: Annotated[int | None, "Days to pay it from then; NULL: before it is shipped"]
    required_date: Annotated[date | None, "The day by which it is needed"]
    city: Annotated[str | None, "Personal: the city where the order is sent"]
    products: Annotated[tuple[str, ...], "The names of its first products, each once"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSummaryRow(OrderSummaryView):
    """
    A line as it is kept, with the words by which the search finds it.

    The customer's part changes with the customer.
    """

    customer_words: Annotated[str, "Personal: what the search knows the customer by"]
    place_words: Annotated[str, "Personal: what the search knows the place by"]
    order_words: Annotated[str, "What the search knows the order by"]
    tracking_numbers: Annotated[tuple[str | None, ...], "The carrier's, by parcel"]
    paid: Annotated[int, "What came in, in minor units"]
    refunded: Annotated[int, "What of it went back, in minor units"]


def changes(row: OrderSummaryRow, event: OrderEvent) -> Mapping[str, Any]:
    """Return the changed columns by name, except those of the order's standing."""
    match event:
        case events.OrderItemsChanged(items=items):
            products = products_of(items)
            return {
                "item_count": len(items),
                "products": products[:MAX_PRODUCTS],
                "order_words": order_words(row, products, row.tracking_numbers),
            }
        case events.ParcelShipped(tracking_no=number):
            return with_numbers(row, (*row.tracking_numbers, number))
        case events.OrderShipped(tracking_no=number):
            return with_numbers(row, (*row.tracking_numbers, number))
        case events.TrackingCorrected(parcel=parcel, tracking_no=number):
            return corrected(row, parcel, number)
        case events.ShippingAddressChanged(address=address):
            return place_of(address)
        case _:
            return {}


def corrected(row: OrderSummaryRow, parcel: int, number: str) -> Mapping[str, Any]:
    """Return what changes with the number of a *parcel*; nothing if there is none."""
    numbers = list(row.tracking_numbers)
    if parcel > len(numbers):
        return {}
    wrong, numbers[parcel - 1] = numbers[parcel - 1], number
    # But for those that a product has, too.
    others = words_of_order("", row.products).split()
    gone = {*words(wrong).split()}.difference(others)
    return with_numbers(row, tuple(numbers), but=gone)


def with_numbers(
    row: OrderSummaryRow,
    numbers: tuple[str | None, ...],
    *,
    but: Collection[str] = (),
) -> Mapping[str, Any]:
    """
    Return the columns that change with the tracking numbers.

    The order is found no more by the words *but*.
    """
    # The words of more products than the row names are in the old ones.
    kept = " ".join(word for word in row.order_words.split() if word not in but)
    return {
        "parcels": len(numbers),
        "tracking_number": numbers[-1],
        "tracking_numbers": numbers,
        "order_words": joined(words(str(row.order_id), *numbers), kept),
    }


def order_words(
    row: OrderSummaryRow, products: Iterable[str], numbers: Iterable[str | None]
) -> str:
    """Return the words of an order; the first ones stay if they are too many."""
    number = str(row.order_id)
    return joined(words(number, *numbers), words_of_order(number, products))


def products_of(items: Iterable[Line]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(line.product for line in items))


def place_of(address: Address) -> Mapping[str, Any]:
    """Return the columns about where the order goes."""
    return {
        # None is what is left of it once the customer is forgotten.
        "city": None if address.city == FORGOTTEN else address.city,
        "place_words": words_of_place(address),
    }


def new_row(
    fact: Fact, event: events.OrderCreated, customer: CustomerOnList
) -> OrderSummaryRow:
    products = products_of(event.items)
    return OrderSummaryRow(
        order_id=int(fact.subject),
        customer_id=event.customer_id,
        customer_name=customer.name,
        customer_email=customer.email,
        **columns_of(NO_STANDING),
        currency=event.currency,
        item_count=len(event.items),
        parcels=0,
        tracking_number=None,
        tracking_numbers=(),
        created_at=fact.occurred_at,
        terms=event.terms,
        required_date=event.required_date,
        **place_of(event.address),
        products=products[:MAX_PRODUCTS],
        customer_words=customer.words,
        order_words=words_of_order(fact.subject, products),
    )
