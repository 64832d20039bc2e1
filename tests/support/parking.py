"""Events that read models cannot follow, and streams that are parked for them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from domain.orders.events import OrderCreated, OrderShipped
from domain.orders.standing import standing_after
from eventstore.projections.parked_streams import Parking, park
from readmodels.figures import OrderSums, with_sums
from tasks.shop.wiring import Shop
from tests.support.desk import place, ship

BAD_PARCEL = "BAD"
BAD_FREIGHT = 13
bad_place = replace(place, freight=BAD_FREIGHT)
bad_ship = replace(ship, tracking_no=BAD_PARCEL)


def is_bad(event: object) -> bool:
    """Return whether an event, or what the figures make of one, is one of these."""
    match event:
        case OrderShipped(tracking_no=tracking_no):
            return tracking_no == BAD_PARCEL
        case OrderCreated(freight=freight):
            return freight == BAD_FREIGHT
        case OrderSums(freight_change=freight):
            return freight == BAD_FREIGHT
        case _:
            return False


def failing(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a part of a fold that cannot be done with the events of above."""

    def part(row: Any, event: object, **more: Any) -> Any:
        if is_bad(event):
            raise ValueError("the secret of order-1")
        return function(row, event, **more)

    return part


@contextmanager
def broken_folds() -> Iterator[None]:
    """Have `order_list`, `order_details` and `figures` fail with these events."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("order_list", "order_details"):
            patch.setattr(f"readmodels.{name}.standing_after", failing(standing_after))
        patch.setattr("readmodels.figures.with_sums", failing(with_sums))
        yield


def park_stream(shop: Shop, read_model: str, stream_id: str, position: int) -> None:
    """Park a stream as a reader does."""
    parking = Parking(stream_id, position, "ValueError", "secret.module:13", None)
    with shop.lent() as connection:
        park(f"{read_model}_g1", [parking]).send(connection)
