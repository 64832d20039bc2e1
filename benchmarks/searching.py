"""
What each search of the lists costs PostgreSQL, for two kinds of shops.

    .venv/bin/python -m benchmarks.searching --orders 300000

It brings a PostgreSQL of its own and fills the tables of the lists: a shop whose
customers have thirteen orders each, and one where they have two. Each statement of a
search is run by EXPLAIN (ANALYZE, BUFFERS): the milliseconds are those of planning and
execution, as medians, with nothing of the client's.
"""

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from statistics import median
from typing import Any, NamedTuple

import psycopg
import sqlalchemy as sa

from benchmarks.fencing.cluster import running
from benchmarks.loading.figures import percentile
from eventstore.projections.projection import Key, Projection, Row
from eventstore.projections.table import Table
from eventstore.steps import send_all
from readmodels import customers, figures, order_list

TUNING = {"fsync": "on", "autovacuum": "on", "max_wal_size": "8GB"}
KINDS = {"many orders a customer": 13, "few orders a customer": 2}

CUSTOMERS = """
    INSERT INTO readmodels.customers_g1
        (customer_id, version, name, email, registered_at, orders, cancelled, worth,
        is_forgotten, words)
    SELECT
        id, 1, name, mail || '@example.com', '2020-01-01', n %% 40, 0,
        (n * 7919::bigint) %% 100003, false,
        lower(concat_ws(' ', name, id, translate(mail, '.', ' '), 'example com'))
    FROM generate_series(1, %(customers)s) AS n
    CROSS JOIN LATERAL (SELECT
        (ARRAY['Anna', 'Bernd', 'Clara', 'Dmitri', 'Elena', 'Farid', 'Greta', 'Hugo',
        'Ines', 'Jonas', 'Karin', 'Lukas', 'Maria', 'Nils', 'Olga', 'Pavel', 'Quinn',
        'Rosa', 'Sven', 'Tanja', 'Uwe', 'Vera', 'Wim', 'Xenia', 'Yusuf', 'Zoe']
        )[1 + (n * 31::bigint) %% 26] AS first_name,
        (ARRAY['Anders', 'Bauer', 'Costa', 'Dubois', 'Eriksen', 'Fischer', 'Garcia',
        'Horvat', 'Ivanov', 'Jansen', 'Keller', 'Lopez', 'Meyer', 'Novak', 'Olsen',
        'Petrov', 'Quist', 'Rossi', 'Schmidt', 'Tran', 'Ueda', 'Virtanen', 'Weber',
        'Xu', 'Yilmaz', 'Zimmermann'])[1 + (n * 7919::bigint / 26) %% 26] ||
        (ARRAY['', 'son', 'berg', 'dal'])[1 + n %% 4] AS last_name
    ) AS names
    CROSS JOIN LATERAL (SELECT
        'C' || lpad(n::text, 6, '0') AS id,
        first_name || ' ' || last_name AS name,
        lower(first_name || '.' || last_name || n) AS mail
    ) AS made
"""
ORDERS = """
    INSERT INTO readmodels.order_list_g1
    SELECT
        n, customer_id, name, email, (n * 7919::bigint) %% 100003, 'EUR',
        (ARRAY['pending', 'paid', 'shipped', 'delivered', 'delivered', 'delivered',
        'delivered', 'cancelled'])[1 + (n * 31::bigint) %% 8], 1 + n %% 5,
        CASE WHEN n %% 3 = 0 THEN 'JD' || n || '999' END,
        timestamptz '2020-01-01' + n * interval '9 minutes',
        words, concat_ws(' ', n, CASE WHEN n %% 3 = 0 THEN 'jd' || n || '999' END)
    FROM generate_series(1, %(orders)s) AS n
    JOIN readmodels.customers_g1 ON customer_id
        = 'C' || lpad((1 + (n * 104729::bigint) %% %(customers)s)::text, 6, '0')
    ORDER BY n
"""

Find = Callable[[sa.Connection], object]


class Cost(NamedTuple):
    """Milliseconds, pages of 8 kB touched, and statements of a question."""

    milliseconds: float
    buffers: int
    statements: int


def main() -> None:
    parser = argparse.ArgumentParser(prog="searching", description=__doc__)
    parser.add_argument("--orders", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with running(TUNING) as cluster:
        for kind, each in KINDS.items():
            with cluster.connect() as connection:
                fill(connection, options.orders, options.orders // each)
            print(f"\n{kind}, {options.orders:,} orders")
            measure(cluster.url, options.orders, options.rounds)


def fill(
    connection: psycopg.Connection[Any], count: int, count_of_customers: int
) -> None:
    """Make the tables of the lists with rows of that many orders and customers."""
    connection.execute("DROP SCHEMA IF EXISTS readmodels CASCADE")
    connection.execute("CREATE SCHEMA readmodels")
    numbers = {"orders": count, "customers": count_of_customers}
    made = {customers.projection: CUSTOMERS, order_list.projection: ORDERS}
    for projection, statement in made.items():
        table = table_of(connection, projection)
        connection.execute(statement, numbers)
        table.create_indexes(connection)
    sums: dict[Key, Row] = {
        figures.ALL_ORDERS: figures.FiguresRow(scope=figures.ALL_ORDERS)
    }
    send_all(connection, table_of(connection, figures.projection).store(sums))
    connection.execute("VACUUM ANALYZE")


def table_of(connection: psycopg.Connection[Any], projection: Projection) -> Table:
    """Make the table and the view of a read model."""
    name = projection.name
    table = Table(f"{name}_g1", projection.row, projection.key, projection.indexes)
    table.create(connection)
    connection.execute(
        f"CREATE VIEW readmodels.{name} AS SELECT * FROM readmodels.{name}_g1".encode()
    )
    return table


def measure(url: str, count: int, rounds: int) -> None:
    """Print what each question costs."""
    engine = sa.create_engine(
        sa.make_url(url).set(drivername="postgresql+psycopg"),
        isolation_level="AUTOCOMMIT",
    )
    costs = []
    with engine.connect() as connection:
        for label, find in questions(count):
            cost = cost_of(connection, find, rounds)
            costs.append(cost.milliseconds)
            print(
                f"{label:48} {cost.milliseconds:7.1f} ms {cost.buffers:7,} pages"
                f" {cost.statements} statements"
            )
    engine.dispose()
    print(f"{'all: p50, p95, the longest':48} ", end="")
    print(*(f"{percentile(costs, percent):.1f}" for percent in (50, 95, 100)), "ms")


def questions(count: int) -> Iterator[tuple[str, Find]]:
    """Yield each question with what is printed before its cost."""
    typed = {
        "a customer's number": "C012345",
        "a number that nobody has": "C999999",
        "nothing that is there": "nothingatall",
        "an order's number": str(count // 2 + 7),
        "an order's number of long ago": "77",
        "a tracking number": f"JD{count // 3 * 3}999",
        "one letter": "a",
        "one letter, late in the alphabet": "z",
        "one digit": "1",
        "two digits": "29",
        "a first name": "zoe",
        "a whole name": "zoe zimmermann",
        "the beginnings of two words": "ta eri",
        "what all have": "example",
        "what all have, and a rare word": "example C012345",
    }
    for label, search in typed.items():
        for sort in ("-placed", "customer"):
            yield (
                f"orders {sort}: {label}",
                partial(order_list.find, search=search, sort=sort),
            )
        yield f"customers: {label}", partial(customers.find, search=search)
    for search in ("z", "zoe zimmermann", "C012345"):
        yield (
            f"orders -placed, pending: {search}",
            partial(order_list.find, search=search, status="pending"),
        )
    yield "figures", figures.find


def cost_of(connection: sa.Connection, find: Find, rounds: int) -> Cost:
    """Return the cost of a question, once the pages that it needs are in memory."""
    find(connection)
    with explaining(connection) as plans:
        found = []
        for _ in range(rounds):
            plans.clear()
            find(connection)
            taken = sum(p["Execution Time"] + p["Planning Time"] for p in plans)
            found.append(Cost(taken, sum(map(pages, plans)), len(plans)))
    return Cost(median(c.milliseconds for c in found), *found[-1][1:])


def pages(plan: dict[str, Any]) -> int:
    node = plan["Plan"]
    return int(node["Shared Hit Blocks"] + node["Shared Read Blocks"])


@contextmanager
def explaining(connection: sa.Connection) -> Iterator[list[dict[str, Any]]]:
    """Lend a list that gets the plan of each statement which the connection runs."""
    plans: list[dict[str, Any]] = []

    def explain(
        _: sa.Connection, cursor: Any, statement: str, given: Any, *__: Any
    ) -> None:
        words = f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {statement}"
        ((answer,),) = connection.connection.cursor().execute(words, given)
        plans.extend(answer)

    sa.event.listen(connection, "before_cursor_execute", explain)
    yield plans
    sa.event.remove(connection, "before_cursor_execute", explain)


if __name__ == "__main__":
    main()
