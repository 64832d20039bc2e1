"""Steps about reading: a list that is dropped and rebuilt, an old event upcast."""

from datetime import UTC, datetime
from uuid import uuid4

import msgspec

from embedded.tour.step import Step
from embedded.tour.steps.preparing import PRICE, SEAL, place_order, register_visitor
from embedded.tour.visit import Visit
from eventstore.log.events import Metadata
from tasks.shop.stream_transfer.file import Line, write_file

SUMMARY = (
    "SELECT count(*), sum(total), md5(string_agg(o::text, '' ORDER BY order_id))"
    " FROM readmodels.order_list AS o"
)


def show_rebuild(visit: Visit) -> None:
    visit.psql(SUMMARY)
    before = visit.ask(SUMMARY)
    visit.recount("readmodels", "drop", "order_list", "--yes")
    status, _ = visit.call("GET", "/api/orders")
    order_id = place_order(visit)
    visit.recount("rebuild", "order_list")
    visit.psql(f"{SUMMARY} WHERE order_id <> {order_id}")
    visit.check("meanwhile the list was answered with 503", status == 503)
    visit.check(
        "every row is what it was before",
        visit.ask(f"{SUMMARY} WHERE order_id <> %s", order_id) == before,
    )
    listed = "SELECT 1 FROM readmodels.order_list WHERE order_id = %s"
    visit.check(
        f"order {order_id}, which was placed meanwhile, is there",
        visit.ask(listed, order_id),
    )
    again = visit.recount("rebuild", "order_list")
    visit.check(
        "a second rebuild compares itself with the first", "no row differs" in again
    )
    visit.page("/orders")
    visit.table("SELECT * FROM readmodels.order_list ORDER BY order_id DESC LIMIT 5")


def show_upcasting(visit: Visit) -> None:
    order_id = visit.ask_one(
        "SELECT max(substr(stream_id, 7)::int) + 1 FROM events"
        " WHERE stream_id LIKE 'order-%%'"
    )
    stream_id = f"order-{order_id}"
    file = visit.shop.folders.state / "an-old-order.jsonl"
    file.write_bytes(old_order(stream_id, register_visitor(visit)))
    visit.recount("stream", "import", str(file))
    visit.psql(
        "SELECT type, metadata ->> 'schema' AS schema, data ? 'discount' AS discount"
        f" FROM events WHERE stream_id = '{stream_id}'"
    )
    visit.recount("stream", "replay", stream_id, "--all")
    visit.wait_until(
        lambda: visit.call("GET", f"/api/orders/{order_id}")[0] == 200,
        "the order has its row",
    )
    _, order = visit.call("GET", f"/api/orders/{order_id}")
    visit.check(
        "in the log the event has no discount",
        visit.ask(
            "SELECT data ? 'discount' FROM events WHERE stream_id = %s", stream_id
        )
        == [(False,)],
    )
    visit.check("its row has the total 29.80 EUR", order["total"] == PRICE)
    visit.page(f"/orders/{order_id}")
    visit.table(f"SELECT data FROM events WHERE stream_id = '{stream_id}'")


def old_order(stream_id: str, customer_id: str) -> bytes:
    """Return an exported stream as a shop of two years ago wrote it: version 1.0."""
    data = {
        "customer_id": customer_id,
        "items": [
            {**SEAL, "product": "Brass seal", "unit_price": PRICE, "discount": "0"}
        ],
        "total": PRICE,
        "address": {"street": "Rynek 1", "city": "Kraków", "country": "Poland"},
        "currency": "EUR",
    }
    cause = uuid4()
    line = Line(
        stream_id=stream_id,
        version=1,
        position=1,
        type="OrderCreated",
        occurred_at=datetime(2024, 11, 4, 9, 30, tzinfo=UTC),
        data=msgspec.Raw(msgspec.json.encode(data)),
        metadata=Metadata(
            event_id=uuid4(), correlation_id=cause, causation_id=cause, schema="1.0"
        ),
        personal=["address"],
    )
    return write_file([line], is_masked=False)


STEPS = (
    Step(
        title="A list is dropped, and rebuilt from the log",
        statements=(24, 33, 35),
        text="""
        The list of orders is computed, so it can be lost. We drop its table: the page
        says so, and orders are placed all the same, since the rules do not read lists.
        The rebuild reads all events from the first and gives the same rows.
        """,
        show=show_rebuild,
    ),
    Step(
        title="An old event is read as one of today",
        statements=(28, 29, 30),
        text="""
        Two years ago an order had no discount. The old event stays as it was written,
        without one. When it is read, upcasters make an event of today of it, with the
        discount 0 and numbered lines, so the code knows the newest version only.
        """,
        show=show_upcasting,
    ),
)
