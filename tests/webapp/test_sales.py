"""What was sold, on a page, as a file and in the API."""

import csv
import io
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from markupsafe import escape

from domain.forgotten import FORGOTTEN
from domain.products.commands import AddProduct
from readmodels.sales_sums import WAYS, Period
from tasks import catch_up
from tasks.shop.wiring import Shop
from tests.support.desk import (
    CLOCK,
    Do,
    add_clock,
    alice,
    bob,
    cancel,
    forget,
    pay,
    place,
    return_one_clock,
    ship,
    to_paris,
)
from tests.support.order_events import CLOCKS, placed
from tests.support.parking import park_stream
from tests.support.past import moment_of
from tests.support.past_pages import looker
from tests.support.shop_histories import ShopHistory
from tests.support.sold import Ledger, fill_sales
from tests.support.visiting import ask, in_days
from webapp.past import making
from webapp.sales_asked import first_of_months, ready_periods

TODAY = in_days(0)
LISTED = replace(CLOCK, product=None, product_id="RC-1", unit_price=None)
TUESDAY = date(2021, 3, 2)


@pytest.fixture
def busy(shop: Shop, do: Do) -> Shop:
    """A shop with three orders: one came back in part, and one was cancelled."""
    do(alice, bob, add_clock, place, pay, ship, return_one_clock, to_paris)
    do(replace(place, customer_id="BOB", items=(LISTED,)), place)
    do(replace(cancel, order_id=3))
    return shop


def table_in(page: str) -> list[list[str]]:
    """Return the rows of a page's table, each as the texts of its cells."""
    body = page[page.index("<tbody") : page.index("</table>")]
    return [
        [
            " ".join(re.sub("<[^>]*>", " ", cell).split())
            for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)
        ]
        for row in re.findall(r"<tr.*?</tr>", body, re.DOTALL)
    ]


def fill(shop: Shop, count: int, **other: Any) -> None:
    """Have *count* orders of as many customers and products, of which 1 is smallest."""
    at = datetime.now(UTC) - timedelta(minutes=1)
    orders = []
    for n in range(1, count + 1):
        line = replace(CLOCKS, product=f"Product {n}", quantity=n)
        event = replace(placed, customer_id=f"C{n}", items=(line,), **other)
        orders.append((n, at, event))
    fill_sales(shop, *orders)


def test_the_page_adds_up_the_last_twelve_months_by_month(
    client: FlaskClient, busy: Shop
) -> None:
    page = client.get("/sales").text

    assert "<h1>Sales by month</h1>" in page
    assert f'name="from" value="{first_of_months(TODAY)}"' in page
    assert f'name="to" value="{TODAY}"' in page
    assert [row[1:] for row in table_in(page)] == [
        ["2", "4", "158.49", "100 %"],
        ["2", "4", "158.49", ""],
    ]


@pytest.mark.parametrize(
    ("by", "rows"),
    [
        (
            "product",
            [
                ["RETRO-CLOCK RC-1", "1", "2", "99.00", "62.5 %"],
                ["RETRO-CLOCK not on the list", "1", "1", "49.50", "31.2 %"],
                ["LAMP not on the list", "1", "1", "9.99", "6.3 %"],
            ],
        ),
        (
            "country",
            [
                ["UK", "1", "2", "99.00", "62.5 %"],
                ["France", "1", "2", "59.49", "37.5 %"],
            ],
        ),
        (
            "customer",
            [
                ["Bob BOB", "1", "2", "99.00", "62.5 %"],
                ["Alice ALICE", "1", "2", "59.49", "37.5 %"],
            ],
        ),
    ],
)
def test_products_countries_and_customers_are_shown_the_largest_first(
    client: FlaskClient, busy: Shop, by: str, rows: list[list[str]]
) -> None:
    page = client.get(f"/sales?by={by}").text

    assert table_in(page) == [*rows, ["In all", "2", "4", "158.49", ""]]


def test_no_product_of_the_list_is_taken_for_one_that_is_not_on_it(
    client: FlaskClient, busy: Shop, do: Do
) -> None:
    none = AddProduct(product_id="None", name="Zilch", unit_price=1, currency="EUR")
    do(none, replace(place, items=(replace(LISTED, product_id="None"),)))

    rows = table_in(client.get("/sales?by=product").text)
    assert [row[0] for row in rows if "Zilch" in row[0]] == ["Zilch None"]
    assert [row["product"] for row in read_csv(client, "/sales.csv?by=product")] == [
        *("RETRO-CLOCK", "RETRO-CLOCK", "LAMP", "Zilch")
    ]


def test_lines_lead_to_what_they_are_about(client: FlaskClient, busy: Shop) -> None:
    links = {
        "product": ["/products/RC-1"],
        "customer": ["/customers/BOB", "/customers/ALICE"],
        "month": [f"/sales?by=day&amp;from={TODAY.replace(day=1)}&amp;to={TODAY}"],
        "day": [f"/sales?by=product&amp;from={TODAY}&amp;to={TODAY}"],
        "country": [],
    }
    for by, expected in links.items():
        period = f"&from={TODAY}" if by == "day" else ""
        page = client.get(f"/sales?by={by}{period}").text
        body = page[page.index("<tbody") : page.index("</tbody>")]
        found = re.findall('href="([^"]*)"', body)
        if by == "month":
            assert client.get(found[0].replace("&amp;", "&")).status_code == 200
            found = found[-1:]
        assert found == expected, by


def test_who_is_forgotten_is_shown_without_name_and_country(
    client: FlaskClient, busy: Shop, do: Do
) -> None:
    do(forget)

    assert [row[0] for row in table_in(client.get("/sales?by=country").text)] == [
        "UK",
        FORGOTTEN,
        "In all",
    ]
    page = client.get("/sales?by=customer").text
    assert [row[0] for row in table_in(page)][1] == f"{FORGOTTEN} ALICE"
    assert "Alice<" not in page


def test_pages_of_many_lines_follow_each_other_and_the_total_stays(
    client: FlaskClient, shop: Shop
) -> None:
    fill(shop, 120)
    first = client.get("/sales?by=product").text
    more = re.findall('rel="next" href="([^"]*)"', first)[0].replace("&amp;", "&")
    second = client.get(more).text
    last = re.findall('rel="next" href="([^"]*)"', second)[0].replace("&amp;", "&")
    pages = [table_in(page) for page in (first, second, client.get(last).text)]

    assert [len(page) - 1 for page in pages] == [50, 50, 20]
    assert {page[-1][3] for page in pages} == {"359,370.00"}
    shown = [row[0] for page in pages for row in page[:-1]]
    assert shown == [f"Product {n} not on the list" for n in range(120, 0, -1)]


def test_the_plot_is_a_picture_with_a_title_and_no_style_of_its_own(
    client: FlaskClient, shop: Shop
) -> None:
    fill(shop, 30)
    for by, shapes in (("month", 1), ("country", 1), ("product", 10)):
        page = client.get(f"/sales?by={by}").text
        [plot] = re.findall("<svg.*?</svg>", page, re.DOTALL)

        assert 'role="img" aria-labelledby="plot-title"' in plot
        assert f'<title id="plot-title">Sales by {by}; the most: ' in plot
        assert plot.count("<rect") == shapes
        assert "style" not in plot
        assert "viewBox" not in plot
    assert "The 10 with the largest amounts." in page


def test_by_day_it_is_this_month_unless_a_period_is_asked_for(
    client: FlaskClient, shop: Shop
) -> None:
    fill(shop, 1)
    answer = client.get("/api/sales?by=day")

    assert answer.status_code == 200
    assert answer.get_json()["from"] == f"{TODAY:%Y-%m}-01"


def test_a_long_name_is_cut_in_the_plot_on_a_telephone_alone(
    client: FlaskClient, shop: Shop
) -> None:
    name = "The Republic of the Nearest Islands"
    fill(shop, 1, address=replace(placed.address, country=name))
    page = client.get("/sales?by=country").text

    assert f'class="wide">{name}</text>' in page
    assert 'class="narrow">The Republic of the Neare…</text>' in page


def test_names_of_others_are_not_taken_for_the_page_s_own_text(
    client: FlaskClient, shop: Shop
) -> None:
    name = "<script>alert('1')</script>"
    fill(shop, 1, address=replace(placed.address, country=name))
    page = client.get("/sales?by=country").text

    assert name not in page
    assert str(escape(name)) in page


@pytest.mark.parametrize("by", WAYS)
def test_as_of_a_day_before_the_period_nothing_was_sold_in_it(
    client: FlaskClient, busy: Shop, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    """So the day that the page shows can be changed, whatever its period."""
    monkeypatch.setattr(making, "MAX_SECONDS_TO_WAIT", 0)
    look = looker(client, busy)
    period = {"from_": f"{TODAY}", "to": f"{TODAY}", "by": by}
    page = look("/sales", **period, as_of=f"{in_days(-7)}")

    assert page.status_code == 200, page.text
    assert "RETRO-CLOCK" not in page.text
    answer = look("/api/sales", **period, as_of=f"{in_days(-7)}").json
    assert answer is not None
    assert answer["total"] == {"orders": 0, "pieces": 0, "amount": 0}


@pytest.mark.parametrize(
    ("read_model", "by", "words"),
    [
        ("sales", "month", "list of sales"),
        ("sales", "product", "list of sales"),
        ("sold_lines", "product", "list of sold products"),
    ],
)
def test_what_is_left_out_of_the_sums_is_said(
    client: FlaskClient, busy: Shop, read_model: str, by: str, words: str
) -> None:
    park_stream(busy, read_model, "order-1", 4)

    page = client.get(f"/sales?by={by}").text
    assert f"Something is missing in the {words}." in page
    assert ask(client, f"/api/sales?by={by}")["left_out"] == 1
    assert client.get(f"/sales.csv?by={by}").headers["Recount-Parked"] == "1"


def test_the_period_ends_with_today(client: FlaskClient, busy: Shop) -> None:
    answer = ask(client, f"/api/sales?from={TODAY}&to={in_days(90)}")

    assert (answer["from"], answer["to"]) == (f"{TODAY}", f"{TODAY}")


def test_a_page_shows_at_most_three_months_by_day(
    client: FlaskClient, busy: Shop
) -> None:
    for days, status in ((92, 200), (93, 400)):
        period = f"from={in_days(1 - days)}&to={TODAY}"
        assert client.get(f"/sales?by=day&{period}").status_code == status
        assert client.get(f"/sales.csv?by=day&{period}").status_code == 200
        page = client.get(f"/sales?{period}").text
        assert ("by=day" in page[: page.index("<tbody")]) == (status == 200)


def test_ready_periods_are_whole_months_and_years_up_to_today() -> None:
    found = ready_periods(date(2026, 1, 15), date(2024, 5, 6))

    assert [(one.words, f"{one.first}", f"{one.last}") for one in found] == [
        ("this month", "2026-01-01", "2026-01-15"),
        ("last month", "2025-12-01", "2025-12-31"),
        ("last twelve months", "2025-02-01", "2026-01-15"),
        ("this year", "2026-01-01", "2026-01-15"),
        ("last year", "2025-01-01", "2025-12-31"),
        ("all", "2024-05-06", "2026-01-15"),
    ]


@pytest.mark.parametrize(
    ("asked", "detail"),
    [
        ("by=moth", "by must be one of month, day, product, country, customer; did"),
        ("from=yesterday", "from must be a date, like 2026-03-31."),
        ("to=2026-02-30", "to must be a date, like 2026-03-31."),
        ("from=0001-01-01", "from must be a date, like 2026-03-31."),
        ("to=9999-12-31", "to must be a date, like 2026-03-31."),
        ("from=2026-03-01&to=2026-02-01", "from must not be after to, or after"),
        ("by=day&from=2020-01-01", "by day it must be at most 366 days."),
        ("after=nonsense", None),
    ],
)
def test_what_is_no_period_is_refused(
    client: FlaskClient, busy: Shop, asked: str, detail: str | None
) -> None:
    by = "" if "by=" in asked else "&by=country"
    for address in ("/sales", "/sales.csv", "/api/sales"):
        answer = client.get(f"{address}?{asked}{by}")
        assert answer.status_code == 400, address
    if detail is not None:
        assert answer.json is not None
        assert answer.json["detail"].startswith(detail)


def test_the_api_says_the_same_with_its_position(
    client: FlaskClient, busy: Shop
) -> None:
    answer = ask(client, f"/api/sales?by=customer&from={TODAY}&limit=1&min_position=1")

    assert answer["lines"] == [
        {
            "customer_id": "BOB",
            "customer_name": "Bob",
            "orders": 1,
            "pieces": 2,
            "amount": 9_900,
        }
    ]
    assert answer["total"] == {"orders": 2, "pieces": 4, "amount": 15_849}
    assert (answer["currency"], answer["behind"]) == ("EUR", 0)
    [rest] = ask(client, answer["next"])["lines"]
    assert (rest["customer_id"], rest["amount"]) == ("ALICE", 5_949)


def read_csv(client: FlaskClient, address: str) -> list[dict[str, str]]:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == "text/csv"
    assert answer.text.count("\n") == answer.text.count("\r\n")
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def test_the_file_has_all_lines_with_plain_amounts(
    client: FlaskClient, shop: Shop
) -> None:
    fill(shop, 120)
    rows = read_csv(client, "/sales.csv?by=product")

    assert len(rows) == 120
    assert rows[0] == {
        "product_id": "",
        "product": "Product 120",
        "orders": "1",
        "pieces": "120",
        "amount": "5940.00",
        "currency": "EUR",
    }
    assert read_csv(client, "/sales.csv") == [
        {
            "month": f"{TODAY:%Y-%m}",
            "orders": "120",
            "pieces": "7260",
            "amount": "359370.00",
            "currency": "EUR",
        }
    ]


def test_no_name_in_the_file_is_a_formula(client: FlaskClient, shop: Shop) -> None:
    fill(shop, 1, address=replace(placed.address, country="=1+1"))

    [row] = read_csv(client, "/sales.csv?by=country")
    assert row["country"] == "'=1+1"


def test_a_file_without_lines_names_its_columns(client: FlaskClient) -> None:
    for by in WAYS:
        text = client.get(f"/sales.csv?by={by}&from={TODAY}").text
        assert text.endswith("orders,pieces,amount,currency\r\n")


def test_sales_as_of_last_tuesday_are_what_they_were_then(
    client: FlaskClient, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "MAX_SECONDS_TO_WAIT", 0)
    with shop.lent() as connection:
        ShopHistory.of(5).append(connection, 400)
    catch_up.run(shop)
    zone = shop.settings.timezone
    then = datetime(2021, 3, 2, 23, 59, 59, 999_999, tzinfo=zone)
    ledger = Ledger.of(shop, moment_of(shop, then.astimezone(UTC)))
    period = Period(first=TUESDAY.replace(day=1), last=TUESDAY, zone=zone)
    look = looker(client, shop)

    for by in WAYS:
        asked = {"by": by, "from": "2021-03-01", "limit": 200}
        answer = look("/api/sales", as_of=TUESDAY, **asked).json
        assert answer is not None
        key = {"product": "product_id", "customer": "customer_id"}.get(by, by)
        found = {
            line[key] or line.get("product", ""): (
                line["orders"],
                line["pieces"],
                line["amount"],
            )
            for line in answer["lines"]
            if line["orders"]
        }
        expected = {
            (f"{k:%Y-%m}" if by == "month" else f"{k}" if by == "day" else k)
            or name: sums
            for (k, name), sums in ledger.sums(by, period).items()
        }
        assert found == expected, by
        total = ledger.total(period)
        assert answer["total"]["amount"] == total.amount
        assert (answer["from"], answer["to"]) == ("2021-03-01", "2021-03-02")
        later = ask(client, f"/api/sales?by={by}&from=2021-03-01&to=2021-03-08")
        assert later["total"]["amount"] != total.amount

    page = look("/sales", as_of=TUESDAY, by="country").text
    assert "not today" in page
    assert 'name="to" value="2021-03-02"' in page
    assert look("/sales.csv", as_of=TUESDAY, by="country").text.count("\r\n") == 2 + (
        None in [key for key, _ in ledger.sums("country", period)]
    )
