"""The orders of a real shop, through the front door."""

import statistics
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
import sqlalchemy as sa

from tests.support import northwind
from tests.support.client import Answer, Client, client_of, send_all
from tests.support.orders import order_for
from tests.support.processes import Processes
from tests.support.waiting import wait_until

pytestmark = [
    pytest.mark.races,
    pytest.mark.skipif(
        not northwind.is_there(),
        reason="needs Northwind's CSV files: set NORTHWIND_DIR to their folder",
    ),
]


def totals(engine: sa.Engine) -> tuple[int, int]:
    with engine.connect() as connection:
        row = connection.execute(
            sa.text("SELECT count(*), sum(total) FROM readmodels.order_list")
        ).one()
    return int(row[0]), int(row[1] or 0)


def all_final(engine: sa.Engine) -> bool:
    with engine.connect() as connection:
        return not connection.scalar(
            sa.text("SELECT count(*) FROM commands WHERE status = 'accepted'")
        )


def seconds_to_be_seen(client: Client) -> float:
    """Place one order and wait for its row, as somebody who looks at the list does."""
    started = time.monotonic()
    answer = client.send("PlaceOrder", order_for("ALFKI"))
    stream_id = client.get(f"/api/commands/{answer.command_id}")["stream_id"]
    number = int(stream_id.removeprefix("order-"))
    while client.get("/api/orders?limit=1")["orders"][0]["order_id"] < number:
        time.sleep(0.002)
    return time.monotonic() - started


def test_830_orders_of_a_real_shop_become_rows_of_the_list(
    processes: Processes,
    engine: sa.Engine,
    record_property: Callable[[str, object], None],
) -> None:
    processes.settings = replace(processes.settings, currency="USD")
    processes.redis()
    processes.worker()
    processes.beat()
    processes.relay()
    address = processes.web()

    started = time.monotonic()
    answers: list[Answer] = send_all(address, northwind.registrations())
    wait_until(lambda: all_final(engine), "all customers are registered")
    answers += send_all(address, northwind.placements())
    sent = time.monotonic() - started
    wait_until(lambda: totals(engine)[0] == 830, "there are 830 rows")
    seen = time.monotonic() - started
    worth = totals(engine)[1]
    with client_of(address) as client:
        waits = sorted(seconds_to_be_seen(client) for _ in range(200))

    figures = {
        "seconds until all were accepted": round(sent, 2),
        "seconds until all were rows": round(seen, 2),
        "p50 of one at a time, ms": round(statistics.median(waits) * 1000),
        "p99 of one at a time, ms": round(waits[197] * 1000),
    }
    for name, figure in figures.items():
        record_property(name, figure)
        print(f"{name}: {figure}")
    assert {answer.status for answer in answers} == {202}
    assert len(answers) == 91 + 830
    assert worth == northwind.NET_WORTH + northwind.FREIGHT
