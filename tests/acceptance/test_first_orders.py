"""Customers who are registered with an order, by real workers: both, or neither."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from tests.support.client import client_of
from tests.support.orders import order_for
from tests.support.processes import Processes
from tests.support.waiting import wait_until

pytestmark = pytest.mark.races

PEOPLE, EACH = 30, 3
CUSTOMERS = """
    SELECT split_part(stream_id, '-', 2) FROM events WHERE type = 'CustomerRegistered'
"""
WHO_ORDERED = "SELECT data ->> 'customer_id' FROM events WHERE type = 'OrderCreated'"


def first_order(person: int) -> dict[str, Any]:
    """Return the first order of a person; that the address may be taken is meant."""
    data = {**order_for(), "name": "Ann", "email": f"ann-{person}@example.com"}
    del data["customer_id"]
    return {"type": "PlaceFirstOrder", "data": data, "confirmed": ["name", "email"]}


def send_those_of(web: str, person: int) -> list[dict[str, Any]]:
    """Send a person's orders, and return how each of the commands ended."""
    with client_of(web) as client:
        sent = [client.ask(first_order(person), f"{person}/{n}") for n in range(EACH)]
        return [client.wait_for(answer.command_id) for answer in sent]


def test_of_those_who_give_one_address_one_is_registered_and_their_order_is_placed(
    processes: Processes, engine: sa.Engine
) -> None:
    processes.redis()
    processes.worker()
    processes.relay()
    web = processes.web()

    def values(query: str) -> list[str]:
        with engine.connect() as connection:
            return sorted(connection.execute(sa.text(query)).scalars())

    with ThreadPoolExecutor(8) as pool:
        people = pool.map(partial(send_those_of, web), range(PEOPLE))
        ended = [end["status"] for ends in people for end in ends]
    wait_until(lambda: len(values(WHO_ORDERED)) == PEOPLE, "all orders are placed")

    assert Counter(ended) == {"succeeded": PEOPLE, "rejected": PEOPLE * (EACH - 1)}
    assert values(WHO_ORDERED) == values(CUSTOMERS)
    # No order is decided before its customer is there: it would have been refused.
    ends = values("SELECT status FROM commands WHERE type = 'PlaceOrder'")
    assert Counter(ends) == {"succeeded": PEOPLE}
