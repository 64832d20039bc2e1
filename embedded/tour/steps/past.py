"""Steps about long and old streams: a snapshot, and an order as of last week."""

import json
from datetime import UTC, datetime, timedelta

from embedded.tour.step import Step
from embedded.tour.visit import Visit

JAR = "penny-jar"
SNAPSHOT_AT, LATER = 500, 23
"""The documents' own example: a snapshot at 500, then 23 events."""
DELIVERED_SINCE = """
    SELECT o.order_id FROM events AS e JOIN readmodels.order_list AS o
        ON e.stream_id = 'order-' || o.order_id
    WHERE e.type = 'DeliveryConfirmed' AND e.occurred_at > %s
        AND o.customer_name = 'Bókabúð Jökuls'
    ORDER BY e.id LIMIT 1
"""


def show_snapshot(visit: Visit) -> None:
    visit.do("OpenAccount", account_id=JAR, currency="EUR")
    deposit(visit, SNAPSHOT_AT - 1)
    snapshot = f"SELECT version FROM snapshots WHERE stream_id = 'account-{JAR}'"
    visit.wait_until(lambda: visit.ask(snapshot), "the snapshot is taken")
    deposit(visit, LATER)
    visit.psql(
        "SELECT s.version AS snapshot, max(e.version) AS events,"
        " max(e.version) - s.version AS still_to_read"
        " FROM snapshots AS s JOIN events AS e USING (stream_id)"
        f" WHERE stream_id = 'account-{JAR}' GROUP BY s.version"
    )
    visit.recount("verify", "--all")
    visit.check(
        f"the snapshot is that of event {SNAPSHOT_AT}",
        visit.ask_one(snapshot) == SNAPSHOT_AT,
    )
    _, account = visit.call("GET", f"/api/accounts/{JAR}")
    visit.check(
        "the account has all that was paid in: 5.22 EUR",
        account["balance"] == SNAPSHOT_AT - 1 + LATER,
    )
    visit.page(f"/accounts/{JAR}")
    visit.table(f"SELECT state FROM snapshots WHERE stream_id = 'account-{JAR}'")


def deposit(visit: Visit, times: int) -> None:
    """Show and submit so many deposits of a cent, and wait until all are events."""
    of_jar = f"SELECT max(version) FROM events WHERE stream_id = 'account-{JAR}'"
    due = visit.ask_one(of_jar) + times
    file = visit.shop.folders.state / f"{times}-deposits.jsonl"
    command = {"type": "Deposit", "data": {"account_id": JAR, "amount": 1}}
    file.write_text(f"{json.dumps(command)}\n" * times)
    visit.recount("commands", "submit", str(file))
    visit.wait_until(lambda: visit.ask_one(of_jar) == due, "all deposits are made")
    position = visit.ask_one("SELECT max(id) FROM events")
    visit.call("GET", f"/api/accounts/{JAR}?min_position={position}")


def show_as_of(visit: Visit) -> None:
    last_week = (datetime.now(UTC) - timedelta(days=7)).date()
    end = datetime.combine(last_week, datetime.max.time(), UTC)
    order_id = visit.ask_one(DELIVERED_SINCE, end)
    stream_id = f"order-{order_id}"
    shown = visit.recount("stream", "show", stream_id, "--as-of", str(last_week))
    as_of = f"reporting.order_as_of({order_id}, '{last_week + timedelta(days=1)}')"
    visit.psql(
        "SELECT past.status AS then, o.status AS today FROM readmodels.order_list AS o"
        f" JOIN {as_of} AS past USING (order_id)"
    )
    then, now = visit.ask(
        "SELECT count(*) FILTER (WHERE occurred_at <= %s), count(*) FROM events"
        " WHERE stream_id = %s",
        end,
        stream_id,
    )[0]
    visit.check(
        "it was shown as of an earlier version than today's",
        f"at version {then} of {now};" in shown and then < now,
    )
    customer = "SELECT customer_id FROM readmodels.order_list WHERE order_id = %s"
    listed = visit.wait_for_rows(
        "orders",
        f"/api/orders?as_of={last_week}"
        f"&customer={visit.ask_one(customer, order_id)}&limit=200",
    )
    statuses = {row["order_id"]: row["status"] for row in listed}
    visit.check(
        "the list of that day has it with the status of that day",
        statuses[order_id] == visit.ask_one(f"SELECT status FROM {as_of}"),
    )
    visit.page(f"/orders?as_of={last_week}")
    visit.page(f"/orders/{order_id}?as_of={last_week}")
    visit.page("/orders/changes")
    visit.table(f"SELECT * FROM {as_of}")


STEPS = (
    Step(
        title="A snapshot spares reading a long stream",
        statements=(20, 21),
        text="""
        The state of an account is the replay of its events. Here somebody drops 499
        cents into one: with its opening that makes 500 events, and a snapshot. After 23
        cents more, loading it reads the snapshot and 23 events instead of 523.
        """,
        show=show_snapshot,
    ),
    Step(
        title="An order as it was last week",
        statements=(14, 23, 25),
        text="""
        Nothing was overwritten, so the past can be asked. This is an order of the demo
        that has changed since; its events up to the end of that day give exactly what
        it was then.
        """,
        show=show_as_of,
    ),
)
