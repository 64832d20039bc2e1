"""GET /api/events: the log page by page, for other services."""

import re
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from domain.customers.commands import ForgetCustomer
from tasks.shop import event_feed
from tasks.shop.published_events import MASKED
from tasks.shop.wiring import Shop
from tests.support.desk import Do, alice, pay, place
from tests.support.following import append_events, ids_in_log
from tests.support.users import bearing, token_of, user
from tests.support.visiting import ask, assert_problem
from webapp.api import events as events_of_the_api

Headers = dict[str, str]


@pytest.fixture
def masked(shop: Shop) -> Headers:
    """The header of who reads events, and not what is personal in them."""
    # Its commands are those of these tests, which are sent by staff.
    user(shop, "staff", "admin")
    return bearing(token_of(shop, "staff", ["events.read"]))


@pytest.fixture
def personal(shop: Shop, masked: Headers) -> Headers:
    """The header of who sees what is personal, too."""
    return bearing(token_of(shop, "staff", ["events.read", "personal"]))


def follow(
    client: FlaskClient, address: str, headers: Headers | None = None
) -> tuple[list[dict[str, Any]], list[TestResponse]]:
    """Return the events from an address up to the last page, and the pages."""
    events, pages = [], []
    while True:
        response = client.get(address, headers=headers or {})
        assert response.status_code == 200, response.text
        pages.append(response)
        events += response.get_json()["events"]
        if response.get_json()["is_last"]:
            return events, pages
        address = response.get_json()["next"]


def ids(events: Sequence[dict[str, Any]]) -> list[str]:
    return [event["event_id"] for event in events]


def test_the_pages_have_every_event_once_and_in_order(
    client: FlaskClient, shop: Shop
) -> None:
    with shop.lent() as connection:
        append_events(connection, 25)
        for limit in (1, 7, 25, 26):
            events, pages = follow(client, f"/api/events?limit={limit}")
            assert ids(events) == ids_in_log(connection)
            assert len(pages) == 25 // limit + 1


def test_next_is_there_on_the_last_page_too(client: FlaskClient, shop: Shop) -> None:
    empty = ask(client, "/api/events")
    assert (empty["events"], empty["is_last"], empty["cursor"]) == ([], True, "0")
    with shop.lent() as connection:
        append_events(connection, 1)
        last = ask(client, empty["next"])
        assert ids(last["events"]) == ids_in_log(connection)
        append_events(connection, 1, first=2)
        assert ids(ask(client, last["next"])["events"]) == ids_in_log(connection)[1:]


def test_who_wants_only_what_comes_begins_at_the_end(
    client: FlaskClient, shop: Shop
) -> None:
    with shop.lent() as connection:
        append_events(connection, 3)
        at_end = ask(client, "/api/events?after=end")
        assert (at_end["events"], at_end["is_last"]) == ([], True)
        append_events(connection, 1, first=4)
        assert ids(ask(client, at_end["next"])["events"]) == ids_in_log(connection)[3:]


def test_an_event_that_is_not_settled_is_not_shown(
    client: FlaskClient, shop: Shop
) -> None:
    with shop.lent() as writer, shop.lent() as other:
        writer.execute("BEGIN")
        append_events(writer, 1)
        append_events(other, 1, first=2)
        # The second is committed, and the first may still come before it.
        assert ask(client, "/api/events")["events"] == []
        writer.execute("COMMIT")
        events = ask(client, "/api/events")["events"]
        assert [event["stream"] for event in events] == ["order-1", "order-2"]


def test_a_full_page_can_be_kept_for_ever_and_the_last_cannot(
    client: FlaskClient, shop: Shop, masked: Headers
) -> None:
    with shop.lent() as connection:
        append_events(connection, 5)
    _, (first, second, last) = follow(client, "/api/events?limit=2", masked)

    for page in (first, second):
        assert page.headers["ETag"].startswith('W/"')
        assert "Authorization" in page.headers["Vary"]
    # The address of the first names no event: another log might be behind it.
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert second.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert last.headers["Cache-Control"] == "no-store"
    assert "ETag" not in last.headers


def test_who_has_a_full_page_is_told_that_it_has_not_changed(
    client: FlaskClient, shop: Shop, masked: Headers
) -> None:
    with shop.lent() as connection:
        append_events(connection, 5)
        first = client.get("/api/events?limit=5", headers=masked)
        known = {**masked, "If-None-Match": first.headers["ETag"]}
        append_events(connection, 5, first=6)
    again = client.get("/api/events?limit=5", headers=known)
    assert (again.status_code, again.data) == (304, b"")
    other = client.get("/api/events?limit=6", headers=known)
    assert other.status_code == 200


def test_a_page_of_other_shapes_is_not_kept_for_ever(
    client: FlaskClient, shop: Shop, masked: Headers
) -> None:
    with shop.lent() as connection:
        append_events(connection, 5)
    following = client.get("/api/events?limit=2", headers=masked).get_json()["next"]
    older = re.sub("shapes=[0-9a-f]+", "shapes=0123456789ab", following)
    assert older != following
    page = client.get(older, headers=masked)
    assert page.headers["Cache-Control"] == "private, no-cache"
    assert page.get_json()["next"].split("shapes=")[1] in following


def test_what_is_personal_is_masked_without_the_scope(
    client: FlaskClient, do: Do, masked: Headers, personal: Headers
) -> None:
    do(alice, place)
    hidden = client.get("/api/events", headers=masked)
    shown = client.get("/api/events", headers=personal)

    assert "Alice" not in hidden.text
    assert hidden.get_json()["events"][0]["data"]["name"] == MASKED
    assert shown.get_json()["events"][0]["data"]["name"] == "Alice"
    assert ids(hidden.get_json()["events"]) == ids(shown.get_json()["events"])


def test_a_page_with_what_is_personal_is_kept_by_nobody(
    client: FlaskClient, do: Do, masked: Headers, personal: Headers
) -> None:
    do(alice, place, pay)
    following = client.get("/api/events?limit=1", headers=masked).get_json()["next"]
    for address in ("/api/events?limit=1", following):
        page = client.get(address, headers=personal)
        assert page.headers["Cache-Control"] == "no-store"
        assert "ETag" not in page.headers
    before = client.get("/api/events?limit=1", headers=masked)
    do(ForgetCustomer(customer_id="ALICE"))
    (event,) = client.get("/api/events?limit=1", headers=personal).get_json()["events"]
    assert (event["personal"], event["data"]["name"]) == ("forgotten", "(forgotten)")
    assert client.get("/api/events?limit=1", headers=masked).data == before.data


def test_the_roles_that_may_not_read_events_are_refused(
    client: FlaskClient, shop: Shop
) -> None:
    headers = user(shop, "sally", "sales")
    for address in ("/api/events", "/api/events/stream"):
        assert_problem(client.get(address, headers=headers), 403, "forbidden")


def test_scopes_to_read_do_not_show_what_is_personal(
    client: FlaskClient, shop: Shop, do: Do
) -> None:
    do(alice)
    user(shop, "adam", "admin")
    headers = bearing(token_of(shop, "adam", ["read"]))
    assert "Alice" not in client.get("/api/events", headers=headers).text


def test_events_are_filtered_by_type_and_by_category(
    client: FlaskClient, do: Do
) -> None:
    do(alice, place, pay)

    def types(query: str) -> list[str]:
        events, _ = follow(client, f"/api/events?limit=1&{query}")
        return [event["type"] for event in events]

    assert types("category=order") == ["OrderCreated", "PaymentReceived"]
    assert types("types=CustomerRegistered,PaymentReceived") == [
        "CustomerRegistered",
        "PaymentReceived",
    ]
    assert types("types=PaymentReceived&category=customer") == []


def test_a_rare_type_is_found_behind_many_others_and_behind_gaps(
    client: FlaskClient, shop: Shop, do: Do, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_feed, "SPAN", 100)
    with shop.lent() as connection:
        append_events(connection, 250, first=1_000)
        connection.execute(
            "SELECT nextval('events_id_seq') FROM generate_series(1, 1000)"
        )
        append_events(connection, 150, first=2_000)
    do(alice)
    events, pages = follow(client, "/api/events?types=CustomerRegistered")

    assert [event["stream"] for event in events] == ["customer-ALICE"]
    assert len(pages) < 10, "gaps are passed over at once"


def test_a_page_of_large_events_is_short(
    client: FlaskClient, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events_of_the_api, "MAX_PAGE_BYTES", 30)
    with shop.lent() as connection:
        append_events(connection, 10)
        events, pages = follow(client, "/api/events")
        assert ids(events) == ids_in_log(connection)
    assert len(pages) > 4


WRONG = [
    ("after=x", "after"),
    ("after=-1", "after"),
    ("after=007", "after"),
    ("after=1-2", "after"),
    ("after=1-" + "z" * 36, "after"),
    ("after=99999999999999999999", "after"),
    ("after=9223372036854775808", "after"),
    ("after=%F0%9F%90%98", "after"),
    ("after=1%00", "after"),
    ("after=" + "1" * 5_000, "after"),
    ("limit=0", "1 to 1000"),
    ("limit=1001", "1 to 1000"),
    ("limit=99999999999999999999", "1 to 1000"),
    ("limit=many", "1 to 1000"),
    ("types=OrderEaten", "PaymentReceived"),
    ("types=OrderCreated,", "PaymentReceived"),
    ("category=elephant", "customer"),
    ("wait=20", "unknown"),
    ("afer=1", "did you mean after?"),
    ("after=1&after=1", "twice"),
]


def test_what_cannot_be_meant_is_refused(client: FlaskClient) -> None:
    for query, told in WRONG:
        body = assert_problem(client.get(f"/api/events?{query}"), 400, "bad-request")
        assert told in body["detail"], query


def test_a_cursor_of_another_log_is_told_so(client: FlaskClient, shop: Shop) -> None:
    with shop.lent() as connection:
        append_events(connection, 3)
        here = ids_in_log(connection)[1]
    assert client.get(f"/api/events?after=2-{here}").status_code == 200
    for cursor in (f"2-{uuid4()}", f"1-{here}", f"900-{here}", "4", "900", str(2**62)):
        response = client.get(f"/api/events?after={cursor}")
        assert_problem(response, 410, "other-log")
    assert client.get("/api/events?after=3").status_code == 200


def test_another_server_neither_waits_nor_streams(client: FlaskClient) -> None:
    answer = client.get("/api/events", headers={"Prefer": "wait=20"})
    assert answer.status_code == 200
    assert "Preference-Applied" not in answer.headers
    assert_problem(client.get("/api/events/stream"), 501, "no-streams")


def test_a_preference_without_sense_is_passed_over(client: FlaskClient) -> None:
    for wait in ("wait=-1", "wait", "wait=,", "wait=1e9", ";;=", "😀", "x=wait=2"):
        headers = {"Prefer": wait.encode().decode("latin-1")}
        assert client.get("/api/events", headers=headers).status_code == 200
