"""Lists as CSV: all rows of what the page is asked, of one moment."""

import csv
import gzip
import io
import re
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient

from domain.accounts.commands import Deposit, OpenAccount, Withdraw
from domain.customers.commands import RegisterCustomer
from domain.products.commands import AddProduct
from readmodels import order_list
from tasks.shop.settings import Settings
from tasks.shop.wiring import Shop
from tests.support.desk import CLOCK, LONDON, Do, alice, pay, place
from tests.support.filled_tables import fill_table, store_rows
from tests.support.logged_in import browser_of
from tests.support.order_rows import order
from tests.support.past import read_events
from tests.support.past_pages import AFTER, BEFORE, looker
from tests.support.settings import settings_for
from tests.support.slow_clients import get, open_socket, status_of
from tests.support.standing_still import REFUSAL
from tests.support.waiting import wait_until
from webapp.csv_files import rows, sending
from webapp.past import making

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def settings(database: str) -> Settings:
    """A shop whose clocks are not those of UTC."""
    return replace(settings_for(database), timezone=BERLIN)


def read_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def column(client: FlaskClient, address: str, name: str) -> list[str]:
    """Return the values of a column of the CSV at *address*."""
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return [row[name] for row in read_csv(answer.text)]


def numbers_on_pages(client: FlaskClient, address: str) -> list[str]:
    """Return the numbers of the orders on all pages that begin at *address*."""
    numbers: list[str] = []
    while address:
        page = client.get(address).text
        numbers += re.findall(r'data-label="Order"><a href="/orders/(\d+)', page)
        following = re.search(r'rel="next" href="([^"]*)"', page)
        address = unescape(following[1]) if following else ""
    return numbers


@pytest.fixture
def many(shop: Shop) -> int:
    """More orders than three pages have; some of each kind that filters tell apart."""
    names = ("Alice Müller", "Bob", "Ewa")
    fill_table(
        shop,
        order_list.projection,
        [
            order(
                number,
                names[number % 3],
                customer_id=("ALICE", "BOB", "EWA")[number % 3],
                status=("paid", "pending")[number % 2],
                due=number % 2 * 5,
                total=number * 7919 % 100_000,
            )
            for number in range(1, 171)
        ],
    )
    return 170


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?status=pending",
        "?customer=BOB&sort=total",
        "?sort=-total",
        "?due=true&sort=customer",
        "?q=alice",
        "?q=alice&status=paid&sort=-order",
        "?q=mueler",
        "?q=17",
        "?q=nobody",
    ],
)
def test_a_list_as_csv_has_the_rows_of_all_its_pages_in_their_order(
    client: FlaskClient, many: int, query: str
) -> None:
    pages = numbers_on_pages(client, f"/orders{query}")

    assert column(client, f"/orders.csv{query}", "order_id") == pages
    assert bool(pages) == ("nobody" not in query)


def test_what_the_page_is_asked_stays_in_its_link(
    client: FlaskClient, many: int
) -> None:
    page = client.get("/orders?status=pending&sort=-total&q=ewa").text
    links = [unescape(one) for one in re.findall(r'href="(/orders\.csv[^"]*)"', page)]
    plain, for_excel = (client.get(link) for link in links)

    assert for_excel.text == "\ufeff" + plain.text
    assert {row["status"] for row in read_csv(plain.text)} == {"pending"}
    assert {row["customer_id"] for row in read_csv(plain.text)} == {"EWA"}


def test_a_parameter_that_the_list_does_not_know_is_refused(
    client: FlaskClient, many: int
) -> None:
    """Else a mistyped filter would give all rows."""
    for query in ("?statsu=paid", "?after=x", "?bom=yes", "?status=pain"):
        assert client.get(f"/orders.csv{query}").status_code == 400


def test_amounts_are_decimals_and_times_those_of_the_shop(
    client: FlaskClient, shop: Shop
) -> None:
    placed = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)
    row = order(total=123456, due=5, created_at=placed, products=("Clock", "Lamp"))
    fill_table(shop, order_list.projection, [row, order(2, currency="JPY", total=500)])

    found = read_csv(client.get("/orders.csv?sort=order").text)

    assert found[0]["total"] == "1234.56"
    assert found[0]["due"] == "0.05"
    assert found[0]["currency"] == "EUR"
    assert found[0]["created_at"] == "2026-02-01T00:30:00+01:00"
    assert found[0]["products"] == "Clock; Lamp"
    assert found[0]["tracking_number"] == ""
    assert (found[1]["total"], found[1]["currency"]) == ("500", "JPY")
    # What only the search looks at is not in it.
    assert "customer_words" not in found[0]


def test_customers_products_accounts_and_statements_are_files_too(
    client: FlaskClient, do: Do
) -> None:
    eur = {"currency": "EUR"}
    do(
        RegisterCustomer(customer_id="J", name="株式会社 時計", address=LONDON),
        AddProduct(product_id="RC-1", name="CLOCK", unit_price=1250, **eur),
        OpenAccount(account_id="shop.csv", currency="EUR"),
        Deposit(account_id="shop.csv", amount=5000),
        Withdraw(account_id="shop.csv", amount=1250),
    )

    [customer] = read_csv(client.get("/customers.csv?q=株式").text)
    assert customer["name"] == "株式会社 時計"
    assert customer["address_city"] == "London"
    assert customer["address_region"] == ""
    assert (customer["worth"], customer["currency"]) == ("0.00", "EUR")
    [product] = read_csv(client.get("/products.csv").text)
    assert (product["name"], product["unit_price"]) == ("CLOCK", "12.50")
    [account] = read_csv(client.get("/accounts.csv?status=open").text)
    assert (account["balance"], account["needs_a_look"]) == ("37.50", "false")
    assert column(client, "/accounts/shop.csv/statement.csv", "change") == [
        "-12.50",
        "50.00",
    ]
    assert column(
        client, "/accounts/shop.csv/statement.csv?sort=happened", "currency"
    ) == ["EUR", "EUR"]
    assert client.get("/accounts/nobody/statement.csv").status_code == 404
    assert client.get("/accounts/shop.csv").status_code == 200
    assert read_csv(client.get("/transfers.csv").text) == []
    assert client.get("/transfers.csv").text.startswith("transfer_id,version,status,")


def test_no_name_is_taken_for_a_formula(client: FlaskClient, do: Do) -> None:
    bad = "=cmd|'/C calc'!A0"
    do(
        RegisterCustomer(customer_id="EVE", name=bad),
        replace(place, customer_id="EVE", items=(replace(CLOCK, product=f"a;{bad}"),)),
    )

    assert column(client, "/customers.csv", "name") == [f"'{bad}"]
    assert column(client, "/orders.csv", "customer_name") == [f"'{bad}"]
    assert column(client, "/orders.csv", "products") == [f"a;'{bad}"]


def test_the_mark_of_utf_8_is_there_on_demand(client: FlaskClient, many: int) -> None:
    plain = client.get("/orders.csv")
    marked = client.get("/orders.csv?bom=true")

    assert plain.content_type == "text/csv; charset=utf-8"
    assert marked.data == b"\xef\xbb\xbf" + plain.data
    assert client.get("/orders.csv?bom=false").data == plain.data


def test_the_file_has_the_name_of_its_list_and_day(
    client: FlaskClient, many: int
) -> None:
    before = datetime.now(BERLIN).date()
    name = client.get("/orders.csv").headers["Content-Disposition"]
    days = {before, datetime.now(BERLIN).date()}

    assert name in {f'attachment; filename="orders-{day}.csv"' for day in days}


def test_it_is_compressed_for_who_takes_it(client: FlaskClient, many: int) -> None:
    plain = client.get("/orders.csv")
    zipped = client.get("/orders.csv", headers={"Accept-Encoding": "gzip"})

    assert zipped.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(zipped.data) == plain.data
    assert int(zipped.headers["Content-Length"]) == len(zipped.data)
    for answer in (plain, zipped):
        assert "Accept-Encoding" in answer.headers["Vary"]


def test_as_of_a_moment_it_has_the_rows_of_then(
    client: FlaskClient, shop: Shop, do: Do, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "MAX_SECONDS_TO_WAIT", 0)
    look = looker(client, shop)
    do(*BEFORE)
    then = read_events(shop)[-1]
    do(*AFTER)

    files = {
        path: look(path, as_of=then.occurred_at)
        for path in (
            *("/orders.csv", "/customers.csv", "/products.csv", "/accounts.csv"),
            *("/transfers.csv", "/accounts/A/statement.csv"),
        )
    }

    assert {path: answer.status_code for path, answer in files.items()} == (
        dict.fromkeys(files, 200)
    )
    found = {path: read_csv(answer.text) for path, answer in files.items()}
    assert [row["status"] for row in found["/orders.csv"]] == ["pending"]
    assert found["/customers.csv"][0]["name"] == "Alice"
    assert found["/products.csv"][0]["unit_price"] == "49.50"
    assert "5.07" not in files["/accounts/A/statement.csv"].text
    day = then.occurred_at.astimezone(BERLIN).date()
    name = files["/orders.csv"].headers["Content-Disposition"]
    assert name == f'attachment; filename="orders-{day}.csv"'
    page = look("/orders", as_of=then.occurred_at).text
    [link, _] = re.findall(r'href="(/orders\.csv[^"]*)"', page)
    assert client.get(unescape(link)).text == files["/orders.csv"].text

    by_position = look("/orders.csv", as_of_position=then.position)
    assert by_position.text == files["/orders.csv"].text
    name = by_position.headers["Content-Disposition"]
    assert name == f'attachment; filename="orders-as-of-{then.position}.csv"'


@pytest.mark.parametrize(
    "address", ["/orders.csv?", "/sales.csv?", "/orders/changes.csv?from=2000-01-01&"]
)
def test_while_a_copy_is_made_a_browser_waits_for_the_file_not_for_a_page(
    client: FlaskClient,
    shop: Shop,
    do: Do,
    monkeypatch: pytest.MonkeyPatch,
    address: str,
) -> None:
    """A part of a file would take the place of the page: nothing, or what names say."""
    monkeypatch.setattr(making, "MAX_SECONDS_TO_WAIT", 0)
    do(*BEFORE)
    moment = "to" if "changes" in address else "as_of"
    then = read_events(shop)[-1].position

    answer = client.get(f"{address}{moment}_position={then}")

    assert answer.status_code == 202
    assert "hx-get" not in answer.text
    assert "<noscript>" not in answer.text
    assert '<meta http-equiv="refresh" content="1">' in answer.text


def test_who_may_open_the_page_may_have_the_file_and_nobody_else(
    app: Flask, shop: Shop, many: int
) -> None:
    wim = browser_of(app, shop, "wim", "warehouse")

    assert wim.get("/orders.csv").status_code == 200
    for path in ("/customers.csv", "/accounts.csv", "/accounts/A/statement.csv"):
        assert wim.get(path).status_code == 403


def test_rows_that_are_old_are_told_in_headers(
    client: FlaskClient, shop: Shop, do: Do, monkeypatch: pytest.MonkeyPatch
) -> None:
    do(alice, place)
    fresh = client.get("/orders.csv").headers
    now = timedelta(microseconds=1)
    monkeypatch.setattr("eventstore.subscriptions.standstill.AFTER", now)
    with shop.lent() as connection:
        connection.execute(REFUSAL.format(state="42501").encode())
    do(pay)

    old = client.get("/orders.csv").headers

    assert "Recount-Behind" not in fresh
    assert "Recount-Stands-Still-Because" not in fresh
    assert old["Recount-Behind"] == "1"
    assert old["Recount-Stands-Still-Because"] == "rights"
    assert int(old["Recount-Position"]) == int(fresh["Recount-Position"])


def change_all_behind_the_first_page(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Have all orders changed, and one placed, when the first page was read."""
    find, changed = order_list.find, threading.Event()

    def find_and_change(connection: Any, **asked: Any) -> Any:
        page = find(connection, **asked)
        if not changed.is_set():
            changed.set()
            with shop.lent() as other:
                other.execute("SET session_replication_role = replica")
                other.execute("UPDATE readmodels.order_list_g1 SET total = 1")
                other.execute("SET session_replication_role = origin")
            fill_table(shop, order_list.projection, [order(999)])
        return page

    monkeypatch.setattr(order_list, "find", find_and_change)


def test_all_rows_are_of_one_moment(
    client: FlaskClient, shop: Shop, many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = client.get("/orders.csv?sort=order").text
    change_all_behind_the_first_page(shop, monkeypatch)

    assert client.get("/orders.csv?sort=order").text == before
    assert client.get("/orders.csv?sort=order").text != before


def test_page_by_page_they_would_be_of_several(
    client: FlaskClient, shop: Shop, many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = client.get("/orders.csv?sort=order").text
    change_all_behind_the_first_page(shop, monkeypatch)
    monkeypatch.setattr(rows, "one_moment", lambda _: nullcontext())
    monkeypatch.setattr(rows, "LOCK", "SELECT '{}'")

    mixed = client.get("/orders.csv?sort=order").text

    assert mixed.splitlines()[:51] == before.splitlines()[:51]
    assert {row["total"] for row in read_csv(mixed)[50:]} == {"0.01", "999.00"}


@contextmanager
def swapped_while_asked(shop: Shop, client: FlaskClient) -> Iterator[list[str]]:
    """Ask for a file while rows come in behind a lock, as with a rebuild's swap."""
    answers: list[str] = []

    def ask() -> None:
        answers.extend(column(client, "/orders.csv", "order_id"))

    def is_waiting() -> bool:
        with shop.lent() as other:
            waiting = other.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            return waiting.fetchone() == (1,)

    asking = threading.Thread(target=ask)
    with shop.lent() as connection, connection.transaction():
        connection.execute("LOCK TABLE readmodels.order_list")
        asking.start()
        wait_until(is_waiting, "the file waits for the lock")
        store_rows(connection, order_list.projection, [order(1000)])
    asking.join()
    yield answers


def test_rows_that_a_swap_brings_in_are_there(
    client: FlaskClient, shop: Shop, many: int
) -> None:
    with swapped_while_asked(shop, client) as numbers:
        assert len(numbers) == many + 1


def test_without_the_lock_they_would_be_missing(
    client: FlaskClient, shop: Shop, many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "LOCK", "SET LOCAL statement_timeout = '20s' -- {}")

    with swapped_while_asked(shop, client) as numbers:
        assert len(numbers) == many


def fill(shop: Shop, count: int) -> None:
    """Fill the list with so many orders that are alike but for their numbers."""
    fill_table(shop, order_list.projection, [order()])
    with shop.lent() as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            """
            INSERT INTO readmodels.order_list_g1
            SELECT (jsonb_populate_record(one, jsonb_build_object('order_id', n))).*
            FROM readmodels.order_list_g1 one, generate_series(2, %s) n
            """,
            (count,),
        )
        connection.execute("SET session_replication_role = origin")


def peak_of(client: FlaskClient, address: str) -> tuple[int, int]:
    """Return the most bytes that making a file took, and the lines that it has."""
    tracemalloc.start()
    try:
        answer = client.get(address)
        _, peak = tracemalloc.get_traced_memory()
        return peak, answer.text.count("\r\n") - 1
    finally:
        tracemalloc.stop()
        answer.close()


def test_memory_does_not_grow_with_the_rows(
    client: FlaskClient, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(shop, 20_000)

    peak, lines = peak_of(client, "/orders.csv")

    assert lines == 20_000
    monkeypatch.setattr(rows, "ROWS_AT_ONCE", 20_000)
    all_at_once, _ = peak_of(client, "/orders.csv")
    assert peak < 8_000_000 < 20_000_000 < all_at_once


def test_who_reads_slowly_holds_neither_a_thread_nor_a_connection(
    shop: Shop, port: int
) -> None:
    fill(shop, 20_000)
    slow = [open_socket(port, receive_buffer=4_096) for _ in range(6)]
    for client in slow:
        client.sendall(get("/orders.csv"))
        # Its head has come: the file is made.
        assert client.recv(12) == b"HTTP/1.1 200"

    assert status_of(port, "/orders") == 200
    assert shop.engine.pool.checkedout() == 0  # type: ignore[attr-defined]  # a QueuePool
    for client in slow:
        client.close()


def test_few_files_are_made_at_once(
    app: Flask, client: FlaskClient, many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = app.extensions["files"]
    for _ in range(sending.FILES_AT_ONCE):
        assert places.acquire(blocking=False)

    refused = client.get("/orders.csv")
    places.release()

    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    for _ in range(2):
        assert client.get("/orders.csv").status_code == 200
    # A request that fails gives its place back, too.
    for _ in range(2):
        assert client.get("/accounts/nobody/statement.csv").status_code == 404
