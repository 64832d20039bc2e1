"""The shop as of a moment, on pages and by the API."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from flask.testing import FlaskClient

from domain.accounts.commands import Deposit, OpenAccount
from domain.customers.commands import ForgetCustomer
from domain.transfers.commands import TransferMoney
from eventstore.past.dropping import drop_copies
from tasks.shop.wiring import Shop
from tests.support.desk import Do, alice, bob, pay, place, rename, ship
from tests.support.past import read_events
from tests.support.past_pages import Look, looker
from webapp.past import making

BEFORE = (
    alice,
    bob,
    place,
    OpenAccount(account_id="A", currency="EUR"),
    OpenAccount(account_id="B", currency="EUR"),
    Deposit(account_id="A", amount=500),
    TransferMoney(from_account="A", to_account="B", amount=1, currency="EUR"),
)
AFTER = (
    rename,
    pay,
    ship,
    replace(place, customer_id="BOB"),
    Deposit(account_id="A", amount=7),
)
LISTS = {
    "/api/orders": "orders",
    "/api/customers": "customers",
    "/api/accounts": "accounts",
    "/api/transfers": "transfers",
    "/api/products": "products",
    "/api/accounts/A/statement": "lines",
    "/api/documents/orders": "orders",
    "/api/documents/customers": "customers",
}
SINGLE = (
    "/api/orders/1",
    "/api/customers/ALICE",
    "/api/accounts/A",
    "/api/transfers/1",
    "/api/figures",
)
PAGES = (
    "/orders",
    "/orders/1",
    "/customers",
    "/customers/ALICE",
    "/accounts",
    "/accounts/A",
    "/transfers",
    "/transfers/1",
)


@pytest.fixture(autouse=True)
def _nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy is made by the test, and never while the request waits."""
    monkeypatch.setattr(making, "MAX_SECONDS_TO_WAIT", 0)


@pytest.fixture
def look(client: FlaskClient, shop: Shop) -> Look:
    return looker(client, shop)


@pytest.fixture
def then(shop: Shop, do: Do) -> datetime:
    """A moment between two halves of a history."""
    do(*BEFORE)
    return read_events(shop)[-1].occurred_at


def without_positions(answer: Any) -> Any:
    """Return an answer without what says of when it is."""
    if isinstance(answer, dict):
        left_out = ("position", "behind", "as_of", "as_of_position", "links", "next")
        return {k: without_positions(v) for k, v in answer.items() if k not in left_out}
    return answer


def test_every_query_answers_as_it_did_then(
    client: FlaskClient, do: Do, look: Look, then: datetime
) -> None:
    addresses = [*LISTS, *SINGLE]
    before = {address: client.get(address).json for address in addresses}

    do(*AFTER)

    for address in addresses:
        answer = look(address, as_of=then)
        assert answer.status_code == 200, (address, answer.json)
        assert without_positions(answer.json) == without_positions(before[address])
        assert answer.json is not None
        assert datetime.fromisoformat(answer.json["as_of"]) == then
        assert without_positions(client.get(address).json) != without_positions(
            before[address]
        ) or address in ("/api/transfers", "/api/transfers/1")


def test_a_position_is_a_moment_too(
    client: FlaskClient, do: Do, look: Look, shop: Shop, then: datetime
) -> None:
    position = read_events(shop)[-1].position
    before = client.get("/api/orders").json
    do(*AFTER)

    answer = look("/api/orders", as_of_position=position)

    assert without_positions(answer.json) == without_positions(before)
    assert answer.json is not None
    assert answer.json["as_of_position"] == position


@pytest.mark.parametrize("search", ["Alice", "alice@", "RETRO", "london", "1", "lice"])
def test_searches_find_what_they_found_then(
    client: FlaskClient, do: Do, look: Look, then: datetime, search: str
) -> None:
    before = client.get("/api/orders", query_string={"q": search}).json
    do(*AFTER)

    answer = look("/api/orders", q=search, as_of=then)

    assert without_positions(answer.json) == without_positions(before)
    assert answer.json is not None
    assert answer.json["orders"]


def test_pages_of_a_list_stay_in_the_past(
    client: FlaskClient, do: Do, look: Look, then: datetime
) -> None:
    do(place, place)
    at = datetime.now(UTC)
    do(place, place)
    first = look("/api/orders", as_of=at, limit=2).json
    assert first is not None
    second = client.get(first["next"]).json
    assert second is not None

    numbers = [row["order_id"] for row in [*first["orders"], *second["orders"]]]

    assert numbers == [3, 2, 1]
    assert "as_of=" in first["next"]


def test_links_of_a_row_have_its_moment(
    do: Do, look: Look, then: datetime, client: FlaskClient
) -> None:
    do(*AFTER)
    answer = look("/api/orders/1", as_of=then)
    assert answer.json is not None
    links = answer.json["links"]
    asked = f"as_of={then.isoformat()}"

    assert unquote(links["self"]) == f"/api/orders/1?{asked}"
    assert unquote(links["customer"]) == f"/api/customers/ALICE?{asked}"
    # A command is not to be sent for what was.
    assert "ETag" not in answer.headers


@pytest.mark.parametrize("address", PAGES)
def test_a_page_of_the_past_says_so_and_offers_nothing(
    client: FlaskClient, do: Do, look: Look, then: datetime, address: str
) -> None:
    do(*AFTER)
    today = client.get(address).text

    page = look(address, as_of=then).text

    assert "not today" in page
    assert "not today" not in today
    assert 'method="post"' not in page
    assert 'role="button" href' not in page
    assert 'type="date"' in today


@pytest.mark.parametrize("address", PAGES)
def test_links_between_pages_keep_the_moment(
    client: FlaskClient, do: Do, look: Look, then: datetime, address: str
) -> None:
    do(*AFTER)
    page = look(address, as_of=then).text
    kept = re.findall(r'href="(/(?:orders|customers|accounts|transfers)[^"]*)"', page)
    others = [link for link in kept if "as_of=" not in link]

    # Today's page, and what cannot show the past.
    assert len(kept) > 5
    known = {address, "/orders/new", "/customers/new"}
    assert {o.partition("?")[0] for o in others} - known <= {f"{address}/changes"}
    assert address in others


def test_a_form_that_asks_a_list_keeps_the_moment(
    do: Do, look: Look, then: datetime
) -> None:
    page = look("/orders", as_of="2026-11-29", status="paid").text
    forms = re.findall(r"<form.*?</form>", page, re.DOTALL)
    assert len(forms) == 2
    [of_moment] = [form for form in forms if 'type="date"' in form]
    [of_list] = [form for form in forms if 'type="search"' in form]
    assert '<input type="hidden" name="as_of" value="2026-11-29">' in of_list
    assert '<input type="hidden" name="status" value="paid">' in of_moment


def test_until_it_is_made_a_page_shows_how_far_it_is(
    client: FlaskClient, then: datetime, shop: Shop
) -> None:
    answer = client.get("/orders", query_string={"as_of": then.isoformat()})
    assert answer.status_code == 202
    assert "<progress" in answer.text
    assert 'http-equiv="refresh"' in answer.text
    assert 'hx-get="/orders?as_of=' in answer.text
    with shop.lent() as connection:
        connection.execute(
            """
            UPDATE past_copies SET state = 'filling', done = 4, goal = 16,
                begun_at = clock_timestamp() - interval '10 s'
            """
        )

    answer = client.get("/api/orders", query_string={"as_of": then.isoformat()})

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"
    assert answer.json is not None
    assert answer.json["type"] == "/problems/being-made"
    told = [answer.json[name] for name in ("events", "of", "percent")]
    assert told == [4, 16, 25]
    assert answer.json["seconds_left"] == pytest.approx(30, abs=2)


def test_a_page_that_waits_is_told_that_it_waits_in_vain(
    client: FlaskClient, then: datetime, shop: Shop
) -> None:
    asked = {"as_of": then.isoformat()}
    client.get("/orders", query_string=asked)
    with shop.lent() as connection:
        connection.execute(
            "UPDATE past_copies SET state = 'failed', error = 'DiskFull: full',"
            " made_at = clock_timestamp()"
        )
    # As htmx asks for it.
    headers = {"HX-Request": "true", "HX-Target": "main"}
    answer = client.get("/orders", query_string=asked, headers=headers)

    assert answer.status_code == 200
    assert "DiskFull: full" in answer.text
    assert "<progress" not in answer.text
    assert client.get("/api/orders", query_string=asked).status_code == 503


def test_one_who_asks_for_many_moments_at_once_is_refused(
    client: FlaskClient, then: datetime
) -> None:
    moments = [then - timedelta(days=days) for days in range(making.MAX_MOMENTS + 1)]
    answers = [
        client.get("/api/orders", query_string={"as_of": moment.isoformat()})
        for moment in moments
    ]
    assert [answer.status_code for answer in answers] == [503, 503, 503, 429]
    # The same ones may be asked for again, also in other lists.
    asked = {"as_of": moments[0].isoformat()}
    assert client.get("/api/orders", query_string=asked).status_code == 503
    assert client.get("/api/customers", query_string=asked).status_code == 503


@pytest.mark.parametrize(
    "asked",
    [
        {"as_of": "2026-02-30"},
        {"as_of": "yesterday"},
        {"as_of": "9999-12-31"},
        {"as_of": "2126-01-01"},
        {"as_of_position": "-1"},
        {"as_of_position": "1000000"},
        {"as_of": "1997-03-31", "as_of_position": "1"},
        {"as_of": "1997-03-31", "min_position": "1"},
    ],
)
def test_a_moment_that_nobody_can_see_is_refused(
    client: FlaskClient, then: datetime, asked: Any
) -> None:
    answer = client.get("/api/orders", query_string=asked)
    assert answer.status_code == 400
    assert client.get("/orders", query_string=asked).status_code == 400


def test_the_present_day_is_today(client: FlaskClient, then: datetime) -> None:
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    answer = client.get("/orders", query_string={"as_of": today})
    assert answer.status_code == 200
    assert "not today" not in answer.text
    answer = client.get("/api/orders", query_string={"as_of": today})
    assert answer.json is not None
    assert "as_of" not in answer.json


def test_what_cannot_show_the_past_does_not_take_a_moment(client: FlaskClient) -> None:
    answer = client.get("/api/commands", query_string={"as_of": "1997-03-31"})
    assert answer.status_code == 400


def test_a_copy_that_was_dropped_is_made_again(
    client: FlaskClient, do: Do, look: Look, then: datetime, shop: Shop
) -> None:
    before = look("/api/orders", as_of=then).json
    with shop.lent() as connection:
        drop_copies(connection)

    again = look("/api/orders", as_of=then)

    assert again.json == before


def test_a_copy_dropped_under_a_request_is_no_error(
    client: FlaskClient, look: Look, then: datetime, shop: Shop
) -> None:
    look("/api/orders", as_of=then)
    with shop.lent() as connection:
        [(name,)] = connection.execute(
            "SELECT tablename FROM pg_tables WHERE tablename ~ '_at_[0-9]+$'"
        )
        connection.execute(f"DROP TABLE readmodels.{name}".encode())

    answer = client.get("/api/orders", query_string={"as_of": then.isoformat()})

    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["type"] == "/problems/being-made"


def test_who_is_forgotten_is_forgotten_in_the_past(
    client: FlaskClient, do: Do, look: Look, then: datetime
) -> None:
    do(rename)
    assert "alice@example.com" in look("/customers/ALICE", as_of=then).text

    do(ForgetCustomer(customer_id="ALICE"))

    page = look("/customers/ALICE", as_of=then).text
    assert "alice@example.com" not in page
    assert "not today" in page
