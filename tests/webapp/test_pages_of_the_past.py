"""The shop as of a moment, on pages."""

import re
from datetime import UTC, datetime
from html import unescape

import pytest
from flask.testing import FlaskClient

from domain.customers.commands import ForgetCustomer
from tasks.shop.wiring import Shop
from tests.support.desk import Do, rename
from tests.support.past import read_events
from tests.support.past_pages import AFTER, BEFORE, Look, looker
from webapp.past import making

PAGES = (
    "/",
    "/orders",
    "/orders/1",
    "/customers",
    "/customers/ALICE",
    "/accounts",
    "/accounts/A",
    "/transfers",
    "/transfers/1",
    "/products",
    "/products/RC-1",
    "/sales",
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


def test_the_desk_is_shown_as_it_was_and_links_to_the_lists_of_then(
    do: Do, look: Look, then: datetime
) -> None:
    do(*AFTER)
    by_day = look("/", as_of=then).text
    by_position = look("/", as_of_position=2).text

    assert "Placed that day" in by_day
    assert "/orders?" in by_day
    assert f"as_of={then:%Y-%m-%d}" in by_day
    assert ">To be paid</a>" in by_position
    assert "as_of_position=2" in by_position
    # A position is in no day, so that nothing is late.
    assert ">Late</a>" in by_day
    assert ">Late</a>" not in by_position
    assert "Placed that day" not in by_position


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
    lists = "orders|customers|accounts|transfers|products|sales"
    # The desk is the page without a name.
    kept = re.findall(rf'href="(/(?:(?:{lists})[^"]*|\?[^"]*)?)"', page)
    others = [link for link in kept if "as_of=" not in link]

    # Today's page, and what cannot show the past.
    assert len(kept) > 5
    known = {address, "/orders/new", "/customers/new", "/products/new"}
    assert {o.partition("?")[0] for o in others} - known <= {f"{address}/changes"}
    assert address in others


def test_each_filter_that_is_offered_as_of_a_position_can_be_shown(
    client: FlaskClient, shop: Shop, do: Do, look: Look
) -> None:
    do(*BEFORE)
    page = look("/orders", as_of_position=read_events(shop)[-1].position).text
    [filters] = re.findall(r'aria-label="Which orders">(.*?)</nav>', page, re.DOTALL)
    links = [unescape(link) for link in re.findall(r'href="([^"]*)"', filters)]

    assert len(links) > 5
    assert {client.get(link).status_code for link in links} == {200}


def test_a_form_that_asks_a_list_keeps_the_moment(
    do: Do, look: Look, then: datetime
) -> None:
    page = look("/orders", as_of="2026-11-29", status="paid").text
    # Above them is the search that is on every page.
    own = page[page.index("<main") :]
    forms = re.findall(r"<form.*?</form>", own, re.DOTALL)
    assert len(forms) == 2
    [of_moment] = [form for form in forms if 'type="date"' in form]
    [of_list] = [form for form in forms if 'type="search"' in form]
    assert '<input type="hidden" name="as_of" value="2026-11-29">' in of_list
    assert '<input type="hidden" name="status" value="paid">' in of_moment


@pytest.mark.parametrize("address", ["/orders", "/orders/1"])
def test_what_nobody_asks_for_is_not_taken_along_to_another_day(
    client: FlaskClient, look: Look, then: datetime, address: str
) -> None:
    # Words of what makes addresses, and the name of a part of one.
    others = ("endpoint", "_method", "_external", "_scheme", "_anchor", "order_id", "x")
    page = look(address, as_of=then, **dict.fromkeys(others, "other"))
    today = client.get(address, query_string=dict.fromkeys(others, "other"))

    assert page.status_code == today.status_code == 200
    for link in re.findall(r'href="([^"]*)"', page.text + today.text):
        assert "other" not in link


@pytest.mark.parametrize("year", ["0001-01-01", "0001-12-31T23:00:00Z"])
def test_a_day_that_has_no_time_in_each_zone_is_refused(
    client: FlaskClient, then: datetime, year: str
) -> None:
    for address in ("/orders", "/api/orders"):
        answer = client.get(address, query_string={"as_of": year})
        assert answer.status_code == 400
        assert "must be in the year 2 or later" in answer.text


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


def test_the_present_day_is_today(client: FlaskClient, then: datetime) -> None:
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    answer = client.get("/orders", query_string={"as_of": today})
    assert answer.status_code == 200
    assert "not today" not in answer.text
    answer = client.get("/api/orders", query_string={"as_of": today})
    assert answer.json is not None
    assert "as_of" not in answer.json


def test_who_is_forgotten_is_forgotten_in_the_past(
    client: FlaskClient, do: Do, look: Look, then: datetime
) -> None:
    do(rename)
    assert "alice@example.com" in look("/customers/ALICE", as_of=then).text

    do(ForgetCustomer(customer_id="ALICE"))

    page = look("/customers/ALICE", as_of=then).text
    assert "alice@example.com" not in page
    assert "not today" in page
