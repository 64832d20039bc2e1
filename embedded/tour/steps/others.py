"""Steps about people and other services: who and why, a new service, forgetting."""

from embedded.tour.step import Step
from embedded.tour.steps.preparing import PRICE, place_order, place_paid_order
from embedded.tour.visit import Visit

PAID_TWICE = """
    SELECT substr(stream_id, 7)::int FROM events
    WHERE type = 'OrderCancelled' AND data ->> 'reason' = 'Ordered twice by mistake'
"""


def show_who_and_why(visit: Visit) -> None:
    twice = visit.ask_one(PAID_TWICE)
    shown = visit.recount("stream", "show", f"order-{twice}")
    order_id = place_paid_order(visit)
    visit.do("CancelOrder", order_id=order_id, reason="Shown in the tour")
    sent = visit.send("RefundPayment", order_id=order_id, amount=PRICE)
    visit.wait_for(sent)
    caused = "SELECT 1 FROM events WHERE data ->> 'order_id' = %s"
    visit.wait_until(lambda: visit.ask(caused, str(order_id)), "the money is there")
    effects = visit.recount("log", "show", "--caused-by", sent.id)
    visit.check(
        "those who placed, paid and cancelled it are named: webshop, mara, emma",
        all(f"by {who}" in shown for who in ("webshop", "mara", "emma")),
    )
    visit.check(
        "the refund led to a deposit on the customer's account",
        "PaymentRefunded" in effects and "MoneyDeposited" in effects,
    )
    why = visit.recount("why", "order_list", str(twice), "status")
    visit.check("the order's status is so because emma cancelled it", "by emma" in why)
    visit.page(f"/orders/{twice}")
    visit.page(f"/orders/{twice}/why?column=status")
    visit.table(
        "SELECT type, metadata ->> 'actor', metadata ->> 'causation_id'"
        f" FROM events WHERE stream_id = 'order-{order_id}'"
    )


def show_new_service(visit: Visit) -> None:
    notes = visit.shop.folders.state / "what-the-service-knows.json"
    service = (visit.shop.address, str(visit.shop.header), str(notes))
    first = visit.program("embedded.tour.new_service", *service)
    orders = visit.ask_one("SELECT count(*) FROM events WHERE type = 'OrderCreated'")
    place_order(visit)
    then = visit.program("embedded.tour.new_service", *service)
    visit.check(f"it has read all {orders} orders", f"orders read: {orders};" in first)
    visit.check("then it reads the new one only", "orders read: 1;" in then)
    visit.page("/api/events?limit=2")
    visit.table("SELECT id, type, stream_id FROM events ORDER BY id LIMIT 5")


def show_forgetting(visit: Visit) -> None:
    customer_id = visit.ask_one(
        "SELECT customer_id FROM readmodels.customers WHERE name = 'Jiří Novák'"
    )
    stream_id = f"customer-{customer_id}"
    orders = "SELECT count(*) FROM readmodels.order_list WHERE customer_id = %s"
    before = visit.ask_one(orders, customer_id)
    visit.recount("stream", "show", stream_id)
    sent = visit.send("ForgetCustomer", customer_id=customer_id)
    visit.wait_for(sent)
    shown = visit.recount("stream", "show", stream_id)
    visit.psql(
        "SELECT version, type, left(data::text, 50) AS data"
        f" FROM events WHERE stream_id = '{stream_id}'"
    )
    visit.psql(
        "SELECT subject, wrapped, destroyed_at::date FROM vault.keys"
        f" WHERE subject = '{stream_id}' AND command_id IS NULL"
    )
    visit.wait_until(lambda: not find_name(visit), "the rows have forgotten the name")
    visit.check("no event and no row has the name", "Novák" not in shown)
    visit.check(
        f"the {before} orders are still there",
        visit.ask_one(orders, customer_id) == before,
    )
    visit.page(f"/customers/{customer_id}")
    visit.table("SELECT * FROM vault.keys WHERE destroyed_at IS NOT NULL")


def find_name(visit: Visit) -> bool:
    """Return whether a row of the lists has the name of the forgotten customer."""
    tables = ("customers", "order_list", "order_details")
    return any(
        visit.ask_one(
            f"SELECT EXISTS (SELECT FROM readmodels.{table} AS t"
            " WHERE t::text LIKE '%%Novák%%')"
        )
        for table in tables
    )


STEPS = (
    Step(
        title="Who did what, and why",
        statements=(22, 24),
        text="""
        Every event names who did it, when, and because of which command. First an order
        that a customer paid twice by mistake. Then a refund that we make now, and all
        that it caused: a process manager heard of it and paid into the customer's
        account.
        """,
        show=show_who_and_why,
    ),
    Step(
        title="A new service subscribes, and reads from the first event",
        statements=(26, 36),
        text="""
        A service that did not exist until now wants to know what each product has
        earned. It follows the log over HTTP from the first event and keeps where it is.
        Started again after a new order, it goes on from there. The shop was not changed
        for it.
        """,
        show=show_new_service,
    ),
    Step(
        title="Somebody is forgotten, and the log stays",
        statements=(18, 22),
        text="""
        No event is ever deleted. What is personal in one is encrypted with the key of
        the person; forgetting destroys the key. The events are still there, in order,
        and the customer's orders count in all sums, but nobody can read who it was.
        """,
        show=show_forgetting,
    ),
)
