"""Steps of the write side: a rejection, a conflict, and a worker that is killed."""

import os
import signal

import psycopg

from embedded.tour import screen
from embedded.tour.step import Step
from embedded.tour.steps.preparing import PRICE, place_order, place_paid_order
from embedded.tour.visit import StepFailed, Visit

COUNT = "SELECT count(*) FROM events WHERE stream_id = 'order-{}'"
LOCK = "public.lock_key(1, hashtextextended(%s, 0))"
WAITERS = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
END_WAITERS = f"SELECT pg_terminate_backend(pid) AS ended FROM ({WAITERS}) AS waiting"


def show_rejection(visit: Visit) -> None:
    order_id = visit.ask_one(
        "SELECT min(order_id) FROM readmodels.order_list WHERE status = 'delivered'"
    )
    before = visit.ask_one(COUNT.format(order_id))
    sent = visit.send(
        "CancelOrder", order_id=order_id, reason="Too late, one may think"
    )
    ended = visit.wait_for(sent)
    visit.recount("commands", "show", sent.id)
    visit.check("the command was rejected", ended["status"] == "rejected")
    visit.check(
        f"order-{order_id} has the same {before} events as before",
        visit.ask_one(COUNT.format(order_id)) == before,
    )
    visit.page(f"/commands/{sent.id}")
    visit.table(f"SELECT status, error FROM commands WHERE id = '{sent.id}'")


def show_conflict(visit: Visit) -> None:
    order_id = place_paid_order(visit)
    visit.program("embedded.tour.two_writers", str(order_id))
    visit.psql(
        "SELECT version, type, metadata ->> 'actor' AS actor FROM events"
        f" WHERE stream_id = 'order-{order_id}' ORDER BY version"
    )
    types = visit.ask(
        "SELECT type FROM events WHERE stream_id = %s ORDER BY version",
        f"order-{order_id}",
    )
    visit.check(
        "the order was cancelled, and was not shipped",
        types == [("OrderCreated",), ("PaymentReceived",), ("OrderCancelled",)],
    )
    visit.page(f"/orders/{order_id}")
    visit.table(r"\d events")


def show_killed_worker(visit: Visit) -> None:
    order_id = place_order(visit)
    stream_id = f"order-{order_id}"
    worker = next(c for c in visit.shop.running.children if c.name == "worker")
    if worker.process is None:
        raise StepFailed("no worker runs")
    with psycopg.connect(visit.shop.database_url) as holder:
        # Until the transaction ends, a worker on this order has to wait.
        holder.execute(f"SELECT pg_advisory_xact_lock({LOCK})", (stream_id,))
        sent = visit.send("ReceivePayment", order_id=order_id, amount=PRICE)
        visit.wait_until(lambda: visit.ask(WAITERS), "a worker has the command in hand")
        screen.show_command("$", f"kill -9 -- -{worker.process.pid}")
        os.killpg(worker.process.pid, signal.SIGKILL)
        screen.show_output("the worker and its children are dead, in the middle of it")
        # Its session would append what it was sent, once the lock is free: that would
        # be well, too, but nobody would have to begin again.
        visit.psql(END_WAITERS)
    ended = visit.wait_for(sent)
    visit.recount("commands", "show", sent.id)
    visit.psql(
        "SELECT version, type, occurred_at FROM events"
        f" WHERE stream_id = '{stream_id}' ORDER BY version"
    )
    visit.check("the command has succeeded", ended["status"] == "succeeded")
    visit.check(
        "the payment is in the log once",
        visit.ask_one(
            "SELECT count(*) FROM events"
            " WHERE stream_id = %s AND type = 'PaymentReceived'",
            stream_id,
        )
        == 1,
    )
    again = next(c for c in visit.shop.running.children if c.name == "worker")
    visit.check("another worker runs in its place", again.restarts > worker.restarts)
    visit.page(f"/commands/{sent.id}")


STEPS = (
    Step(
        title="A command may be rejected",
        statements=(8, 9),
        text="""
        A command is a wish: the rules decide. It is answered with 202, which promises
        that it will end in exactly one way. This one wants to cancel an order that was
        delivered months ago: a rule says no, and nothing is written to the order.
        """,
        show=show_rejection,
    ),
    Step(
        title="Two writers conflict, and one decides again",
        statements=(19,),
        text="""
        Jonas ships a paid order, and has read it at version 2. Before he writes, Mara
        cancels it. He may append behind version 2 only, and that place is taken: the
        database refuses, so he reads again and decides on what is true now. Workers
        do the same by themselves.
        """,
        show=show_conflict,
    ),
    Step(
        title="A worker is killed, and the command still happens once",
        statements=(9, 27),
        text="""
        A worker has taken a payment, and is killed with its database session before it
        can write it. The command is in the journal in PostgreSQL, so another worker
        takes it: what was accepted is neither lost nor done twice.
        """,
        show=show_killed_worker,
    ),
)
