"""The shop as of a moment, by the API."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient

from eventstore.past.dropping import drop_copies
from tasks.shop.wiring import Shop
from tests.support.desk import Do, alice, pay, place, ship
from tests.support.past import read_events
from tests.support.past_pages import AFTER, BEFORE, Look, looker
from webapp.past import making

LISTS = {
    "/api/orders": "orders",
    "/api/customers": "customers",
    "/api/accounts": "accounts",
    "/api/transfers": "transfers",
    "/api/products": "products",
    "/api/ordered-products": "products",
    "/api/accounts/A/statement": "lines",
    "/api/documents/orders": "orders",
    "/api/documents/customers": "customers",
}
SINGLE = (
    "/api/orders/1",
    "/api/customers/ALICE",
    "/api/accounts/A",
    "/api/transfers/1",
    "/api/products/RC-1",
    "/api/figures",
    "/api/sales",
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


def test_what_was_due_or_late_is_found_as_of_then(
    shop: Shop, do: Do, look: Look, then: datetime
) -> None:
    """On the day of the moment: what was late then may be shipped since."""
    day = then.date()
    do(replace(place, required_date=day - timedelta(days=1)))
    at = read_events(shop)[-1].occurred_at
    do(*AFTER, replace(pay, order_id=2), replace(ship, order_id=2))

    def found(**asked: Any) -> list[int]:
        answer = look("/api/orders", sort="order", **asked).json
        assert answer is not None
        return [row["order_id"] for row in answer["orders"]]

    assert found(due="true") == [3]
    assert found(due="true", as_of=at) == [1, 2]
    assert found(late="true") == []
    assert found(late="true", as_of=at) == [2]
    assert found(late="true", as_of=then) == []


@pytest.mark.parametrize(
    ("zone", "is_late"), [("Pacific/Kiritimati", True), ("Etc/GMT+12", False)]
)
def test_an_order_is_late_by_the_days_of_the_shop(
    shop: Shop, client: FlaskClient, do: Do, zone: str, is_late: bool
) -> None:
    """Yesterday on Kiritimati is no earlier than today at the other end of the day."""
    east = datetime.now(ZoneInfo("Pacific/Kiritimati")).date()
    do(alice, replace(place, required_date=east - timedelta(days=1)))
    shop.settings = replace(shop.settings, timezone=ZoneInfo(zone))

    answer = client.get("/api/orders?late=true").json

    assert answer is not None
    assert bool(answer["orders"]) is is_late


def test_what_was_late_as_of_a_position_has_no_day(client: FlaskClient) -> None:
    problem = client.get("/api/orders?late=true&as_of_position=1").json

    assert problem is not None
    assert "late needs a day" in problem["detail"]


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
