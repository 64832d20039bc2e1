"""What questions cost: searches, one order, and filters of documents."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import psycopg
import sqlalchemy as sa

from benchmarks.storing.named import searches_of
from benchmarks.storing.report import say, say_times
from benchmarks.storing.stand import FilledShop, peaceful_connect
from eventstore.connection import driver_connection
from eventstore.projections.freshness import wait_for
from readmodels import order_details, order_list
from readmodels.stores.documents import on_postgres
from readmodels.stores.documents.document_types import ORDERS
from readmodels.stores.documents.filters import read_filter
from readmodels.stores.documents.queries import Documents
from readmodels.stores.documents.store import DocumentStore
from readmodels.stores.hot.queries import HotRows, Miss
from readmodels.stores.hot.store import HotStore
from readmodels.stores.search.queries import Behind, Searches
from readmodels.stores.search.store import SearchStore
from tasks.shop.setting_values import database_url
from tasks.stores.replica import replica_at
from tasks.stores.second_postgres import second_postgres_at
from tasks.stores.store_state import ReadStore

PATIENCE = 60.0
"""Seconds for a question: no time-out of the shop's may hide how long it takes."""
HOT = 500
FILTERS = {
    "a field: status, highest total": ("status=paid&total.gte=90000", "-order_id"),
    "a product of a line": ("lines.product=R%C3%B6d%20Kaviar&total.gte=99000", ""),
    "a prefix of a customer's name": ("customer_name.prefix=Zoe%20Z", ""),
    "a city, sorted by total": ("address.city=Strasbourg", "-total"),
}

Ask = Callable[[Any], object]


def time_in_turns(
    ways: Mapping[str, Ask], asked: Sequence[Any], turns: int
) -> dict[str, list[list[float]]]:
    """Ask all of it by each way in turns; return the seconds of each turn."""
    for ask in ways.values():
        for one in asked[: max(len(asked) // 4, 1)]:
            ask(one)
    taken: dict[str, list[list[float]]] = {name: [] for name in ways}
    for _ in range(turns):
        for name, ask in ways.items():
            taken[name].append([time_one(ask, one) for one in asked])
    return taken


def time_one(ask: Ask, one: Any) -> float:
    started = time.perf_counter()
    ask(one)
    return time.perf_counter() - started


def measure_searches(shop: FilledShop, turns: int) -> None:
    """Print what each kind of search costs PostgreSQL and the search store."""
    store = SearchStore(shop.stand.url_of("search"), shop.identity)
    searches = Searches(store, seconds=PATIENCE)
    asked = [(kind, text) for kind, texts in searches_of(shop.count) for text in texts]
    with shop.engine.connect() as connection:
        ways: dict[str, Ask] = {
            "PostgreSQL": lambda one: order_list.find(connection, search=one[1]),
            "OpenSearch": lambda one: found(searches.find_orders(one[1])),
        }
        compare_first(ways, asked)
        taken = time_in_turns(ways, asked, turns)
    for name, some in taken.items():
        say_times(f"a  all {len(asked)} searches, {name}", some)
    for kind in dict.fromkeys(kind for kind, _ in asked):
        places = [n for n, one in enumerate(asked) if one[0] == kind]
        for name, some in taken.items():
            of_kind = [[turn[n] for n in places] for turn in some]
            say_times(f"a  {kind}, {name}", of_kind)
    store.close()


def found(answer: Any) -> Any:
    assert not isinstance(answer, Behind)
    return answer.page


def compare_first(ways: Mapping[str, Ask], asked: Sequence[tuple[str, str]]) -> None:
    """Print for how many searches both have the same orders on the first page."""
    first, second = (
        [[row.order_id for row in ask(one).rows] for one in asked]  # type: ignore[attr-defined]
        for ask in ways.values()
    )
    other = Counter(
        one[0] for one, a, b in zip(asked, first, second, strict=True) if a != b
    )
    equal = len(asked) - other.total()
    of = ", ".join(f"{kind} {count}" for kind, count in other.items())
    say("a  searches with the same first page", f"{equal} of {len(asked)}")
    say("   not the same", of or "none")


def measure_single_rows(shop: FilledShop, turns: int, *, in_second: bool) -> None:
    """Print what one order costs each store, with how new it is."""
    chance = random.Random(5)
    numbers = chance.sample(range(1, shop.count + 1), min(HOT, shop.count))
    ways: dict[str, Ask] = {}
    hot = HotStore(shop.stand.url_of("hot"), shop.identity)
    rows = HotRows(hot)
    replica = replica_at(database_url(shop.replica_url()))
    with peaceful_connect(shop.desk.environment["DATABASE_URL"]) as session:
        warm_up(rows, session, numbers)
    ways["Redis (Valkey)"] = lambda n: is_there(rows.find_order(n))
    ways["PostgreSQL"] = partial(find_here, shop.engine)
    ways["PostgreSQL, the row alone"] = partial(find_row, shop.engine)
    ways["replica"] = partial(find_there, replica, shop.identity)
    stores: list[ReadStore] = [replica]
    if in_second:
        url = database_url(shop.stand.url_of("postgres"))
        stores.append(second_postgres_at(url))
        ways["second PostgreSQL"] = partial(find_there, stores[-1], shop.identity)
    for name, some in time_in_turns(ways, numbers, turns).items():
        say_times(f"b  one order, {name}", some)
    for store in stores:
        store.dispose(close=True)
    hot.close()


def warm_up(
    rows: HotRows, session: psycopg.Connection[Any], numbers: Sequence[int]
) -> None:
    for number in numbers:
        answer = rows.find_order(number)
        if isinstance(answer, Miss):
            rows.fill_order(session, answer, number)


def is_there(answer: object) -> None:
    assert not isinstance(answer, Miss), "a row that was put in is not there"


def find_here(engine: sa.Engine, number: int) -> None:
    with engine.connect() as connection:
        driver = driver_connection(connection)
        wait_for(driver, order_details.projection, 0, seconds=0)
        assert order_details.find(connection, number)


def find_row(engine: sa.Engine, number: int) -> None:
    with engine.connect() as connection:
        assert order_details.find(connection, number)


def find_there(store: ReadStore, identity: str, number: int) -> None:
    with store.lend() as connection:
        store.look(connection, [order_details.projection], 0, 0, identity)
        assert order_details.find(connection, number)


def measure_documents(shop: FilledShop, turns: int, *, on_ferretdb: bool) -> None:
    """Print what filters cost JSONB, and FerretDB where it has the orders."""
    with documents_of(shop, on_ferretdb) as documents, shop.engine.connect() as there:
        ways: dict[str, Ask] = {
            "JSONB": lambda one: on_postgres.find(
                there, ORDERS, one[0], sort=one[1], after=None, limit=50
            )
        }
        if documents is not None:
            ways["FerretDB"] = lambda one: documents.find(
                ORDERS, one[0], sort=one[1], after=None, limit=50
            )
        for label, (text, sort) in FILTERS.items():
            filter_ = read_filter(ORDERS.fields, parameters(text))
            one = (filter_, sort or ORDERS.usual_sort)
            some = len(ways["JSONB"](one).rows)  # type: ignore[attr-defined]
            times = time_in_turns(ways, [one] * 10, turns)
            for name, taken in times.items():
                what = f"c  {shop.count:,}: {label} ({some}), {name}"
                say_times(what, taken)


@contextmanager
def documents_of(shop: FilledShop, on_ferretdb: bool) -> Iterator[Documents | None]:
    if not on_ferretdb:
        yield None
        return
    store = DocumentStore(shop.stand.url_of("documents"), shop.identity)
    documents = Documents(store, seconds=PATIENCE)
    yield documents
    documents.close()
    store.close()


def parameters(text: str) -> list[tuple[str, str]]:
    from urllib.parse import parse_qsl

    return parse_qsl(text)
