"""
Why a value is so, and the audit of rows: how long an answer takes, and what is found.

    .venv/bin/python -m benchmarks.explaining --orders 10000

It brings a PostgreSQL of its own, with events that have nothing encrypted. Answers are
about rows of a thousand events: an account, a line of its statement, an order with many
refunds, a customer with many orders. For the audit twenty rows are made wrong, some of
each kind. Ten runs follow each other without the pauses between them: ten minutes have
as many at AUDIT_SECONDS=60, and each has the seconds that a run has then. What is said
of a core is the processor's time of this process and of its PostgreSQL session, over
the ten minutes that the runs would be spread over.
"""

import argparse
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.fencing.cluster import Cluster, running
from benchmarks.loading.figures import percentile
from benchmarks.parking import CREATED, PAID, REGISTERED, SHIPPED, TUNING, write
from eventstore.explaining.audit import Audit
from eventstore.explaining.audit_records import find_wrong_rows
from eventstore.explaining.why import Question, explain
from eventstore.projections.generations import make_first_generation
from eventstore.projections.project import subscription_of
from eventstore.projections.projection import Key
from eventstore.subscriptions.catch_up import catch_up
from readmodels import ALL
from tasks.audit import MAX_SECONDS, SHARE

EVENTS_OF_A_ROW = 1_000
CUSTOMERS = 1_000
RUNS = 10
SECONDS_BETWEEN_RUNS = 60.0
OPENED = """
    SELECT 'account-A', 'AccountOpened', 1, '1.0', '{{"currency": "EUR"}}'::jsonb
"""
MOVED = """
    SELECT
        'account-A', 'MoneyDeposited', n, '1.0', '{{"amount": 5}}'::jsonb
    FROM generate_series(2, {last}) AS n
"""
REFUNDED = """
    SELECT
        'order-{order}', 'PaymentRefunded', n, '1.0',
        jsonb_build_object('amount', 1, 'currency', 'EUR', 'customer_id', 'C1')
    FROM generate_series(3, {last}) AS n
"""
OF_ONE = """
    UPDATE events SET data = data || '{"customer_id": "C7"}'
    WHERE type = 'OrderCreated' AND id <= (
        SELECT id FROM events WHERE type = 'OrderCreated' ORDER BY id OFFSET %s LIMIT 1
    )
"""
CORRUPTIONS: Sequence[tuple[str, int]] = (
    ("UPDATE readmodels.order_list_g1 SET total = total + 1 WHERE order_id = {key}", 4),
    ("UPDATE readmodels.order_details_g1 SET lines = '[]' WHERE order_id = {key}", 3),
    ("UPDATE readmodels.customers_g1 SET worth = 1 WHERE customer_id = 'C{key}'", 2),
    ("DELETE FROM readmodels.order_list_g1 WHERE order_id = {key}", 4),
    ("DELETE FROM readmodels.order_details_g1 WHERE order_id = {key}", 3),
    (
        "INSERT INTO readmodels.accounts_g1"
        " (account_id, version, status, balance, currency, opened_at, needs_a_look)"
        " VALUES ('GHOST{key}', 1, 'open', 5, 'EUR', now(), false)",
        3,
    ),
    ("UPDATE readmodels.figures_g1 SET total = total - 1", 1),
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="explaining", description=__doc__)
    parser.add_argument("--orders", type=int, default=10_000)
    parser.add_argument("--times", type=int, default=20)
    options = parser.parse_args()
    # As in the shop: an answer takes longer between two statements on a busy machine.
    tuning = {**TUNING, "idle_in_transaction_session_timeout": "5s"}
    with running(tuning) as cluster:
        fill(cluster, options.orders)
        with cluster.connect() as connection:
            measure_answers(connection, options.times)
            measure_audit(connection, options.orders)


def fill(cluster: Cluster, orders: int) -> None:
    """Write the log, and bring all read models up to date."""
    cluster.install()
    last = EVENTS_OF_A_ROW
    with cluster.connect() as connection:
        write(connection, REGISTERED, last=CUSTOMERS - 1)
        write(connection, CREATED, first=1, last=orders, customers=CUSTOMERS)
        write(connection, PAID, first=1, last=orders)
        write(connection, REFUNDED, order=1, last=last)
        write(connection, SHIPPED, first=2, last=orders, every=orders * 2)
        write(connection, OPENED)
        write(connection, MOVED, last=last)
        # A customer with many orders, before anybody reads the log.
        connection.execute("ALTER TABLE events DISABLE TRIGGER USER")
        connection.execute(OF_ONE, (last - 1,))
        connection.execute("ALTER TABLE events ENABLE TRIGGER USER")
        connection.execute("VACUUM ANALYZE events")
        for projection in ALL:
            with connection.transaction():
                make_first_generation(connection, projection)
            reached = catch_up(connection, subscription_of(projection, 1))
            assert reached.error is None, reached.error
        [(events,)] = connection.execute("SELECT count(*) FROM events").fetchall()
        print(f"{events:,} events, {orders:,} orders, {CUSTOMERS:,} customers")


def measure_answers(connection: psycopg.Connection[Any], times: int) -> None:
    by_name = {projection.name: projection for projection in ALL}
    [(line,)] = connection.execute(
        "SELECT max(position) FROM readmodels.account_statement"
    ).fetchall()
    asked: Sequence[tuple[str, Key, str]] = (
        ("accounts", "A", "balance"),
        ("account_statement", line, "balance"),
        ("order_details", 1, "refunded"),
        ("order_details", 1, "history"),
        ("order_list", 1, "status"),
        ("customers", "C7", "worth"),
        ("ordered_products", "LAMP", "times_ordered"),
        ("order_list", 5_000, "status"),
    )
    for name, key, column in asked:
        took = []
        for _ in range(times):
            started = time.monotonic()
            found = explain(connection, by_name[name], Question(key=key, column=column))
            took.append(time.monotonic() - started)
        print(
            f"why {name}.{column}: {found.events:,} events,"
            f" {len(found.changes) + found.earlier:,} changes, p50"
            f" {percentile(took, 50) * 1_000:.0f} ms, worst"
            f" {max(took) * 1_000:.0f} ms{'' if found.is_whole else ', NOT WHOLE'}"
        )


def measure_audit(connection: psycopg.Connection[Any], orders: int) -> None:
    wrong = corrupt(connection, orders)
    budget = min(SHARE * SECONDS_BETWEEN_RUNS, MAX_SECONDS)
    began = processor_seconds(connection)
    seconds, rows = 0.0, 0
    for number in range(1, RUNS + 1):
        auditing = Audit(connection, ALL, seconds_of_a_fold=MAX_SECONDS)
        done = auditing.run(seconds=budget)
        seconds, rows = seconds + done.seconds, rows + done.rows
        known = len(find_wrong_rows(connection))
        print(
            f"audit run {number}: {done.rows:,} rows in {done.seconds:.1f} s,"
            f" {known} of {wrong} found"
        )
        assert known <= wrong, "a right row was called wrong"
    used = processor_seconds(connection) - began
    spread = RUNS * SECONDS_BETWEEN_RUNS
    print(
        f"ten minutes: {known} of {wrong} found, {rows:,} rows looked at;"
        f" {used:.1f} s of a processor, {used / spread:.1%} of a core"
        f" (as measured by itself: {seconds:.1f} s, {seconds / spread:.1%})"
    )


def corrupt(connection: psycopg.Connection[Any], orders: int) -> int:
    """Make rows wrong, spread over all; return how many."""
    number = 0
    for statement, count in CORRUPTIONS:
        for _ in range(count):
            number += 1
            key = number * (orders // 25) + number
            if "customers" in statement:
                key = number * 17 % CUSTOMERS
            done = connection.execute(statement.format(key=key).encode())
            assert done.rowcount == 1, statement
    return number


def processor_seconds(connection: psycopg.Connection[Any]) -> float:
    """Return the processor's time of this process and of its session so far."""
    stat = Path(f"/proc/{connection.info.backend_pid}/stat").read_text()
    user, system = stat.rpartition(")")[2].split()[11:13]
    ticks = int(user) + int(system)
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
