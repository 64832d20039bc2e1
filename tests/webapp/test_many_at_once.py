"""One thing done with many orders: a form, a command for each, a page of results."""

import re
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from markupsafe import escape
from werkzeug.test import TestResponse

from tasks.shop.wiring import Shop
from tests.support.unwritten import contents
from tests.support.visiting import (
    Browser,
    Place,
    Work,
    fields_of,
    hidden_of,
    value_of,
)
from tests.webapp.test_a_day_of_an_order import text_of


@pytest.fixture
def ten(place: Place, alice: str) -> list[int]:
    """The numbers of ten orders that are paid."""
    return [place("paid") for _ in range(10)]


def ticked(action: str, *numbers: int) -> str:
    orders = "".join(f"&order={number}" for number in numbers)
    return f"/orders/many?action={action}{orders}"


def test_ten_orders_are_shipped_by_one_form(
    browser: Browser, client: FlaskClient, work: Work, ten: list[int]
) -> None:
    listed = browser.see("/orders")
    page = browser.see(ticked("shipment", *ten))
    typed = {f"tracking_no.{number}": f"1Z{number}" for number in ten}
    sent = client.post("/orders/many", data={**fields_of(page), **typed})
    waiting = text_of(browser.fate(sent))
    commands = set(re.findall(r"/commands/([0-9a-f-]{36})", browser.fate(sent)))
    for command_id in commands:
        work(as_if_sent(client, command_id))
    done = text_of(browser.fate(sent))

    assert listed.count('name="order"') == 10
    assert "10 of 10 are being done" in waiting
    assert len(commands) == 10
    assert "All of them are done with" in done
    assert done.count("Done.") == 10
    assert browser.see("/orders?status=shipped").count("1Z") == 10


def as_if_sent(client: FlaskClient, command_id: str) -> TestResponse:
    """Return an answer that leads to a command."""
    answer = client.get(f"/api/commands/{command_id}")
    answer.headers["Location"] = f"/api/commands/{command_id}"
    return answer


def test_what_an_order_does_not_allow_is_said_and_left_out(
    browser: Browser, place: Place, alice: str
) -> None:
    first, second = place("paid"), place("cancelled")
    page = browser.see(ticked("shipment", first, second))

    assert "Not offered: it is left out." in page
    assert fields_of(page)["order"] == [str(first)]


def test_where_one_is_wrong_nothing_is_sent(
    browser: Browser, client: FlaskClient, ten: list[int]
) -> None:
    page = browser.see(ticked("shipment", *ten[:2]))
    typed = {f"tracking_no.{ten[0]}": "1Z1"}
    answer = client.post("/orders/many", data={**fields_of(page), **typed})

    assert answer.status_code == 422
    assert "Nothing was sent yet." in answer.text
    assert 'value="1Z1"' in answer.text
    assert answer.text.count("is missing") == 1


def test_the_payments_of_many_are_noted_with_what_is_due(
    browser: Browser, client: FlaskClient, work: Work, place: Place, alice: str
) -> None:
    numbers = [place(), place()]
    page = browser.see(ticked("payment", *numbers))
    due = dict(re.findall(r'name="(amount[.][0-9]+)" value="([^"]+)"', page))
    sent = client.post("/orders/many", data={**fields_of(page), **due})
    for command_id in set(re.findall(r"/commands/([0-9a-f-]{36})", browser.fate(sent))):
        work(as_if_sent(client, command_id))

    assert due == {f"amount.{number}": "25.00" for number in numbers}
    assert browser.see("/orders?status=paid").count('class="badge paid"') == 2


def test_many_are_cancelled_for_one_reason(
    browser: Browser, client: FlaskClient, work: Work, place: Place, alice: str
) -> None:
    numbers = [place(), place()]
    page = browser.see(ticked("cancel", *numbers))
    without = client.post("/orders/many", data=fields_of(page))
    sent = client.post("/orders/many", data={**fields_of(page), "reason": "Flood"})
    for command_id in set(re.findall(r"/commands/([0-9a-f-]{36})", browser.fate(sent))):
        work(as_if_sent(client, command_id))

    assert without.status_code == 422
    assert "Cancelled : Flood" in text_of(browser.see(f"/orders/{numbers[1]}"))


def test_a_form_that_is_sent_twice_is_done_once(
    browser: Browser, client: FlaskClient, ten: list[int]
) -> None:
    page = browser.see(ticked("shipment", ten[0]))
    data = {**fields_of(page), f"tracking_no.{ten[0]}": "1Z1"}
    first, second = (client.post("/orders/many", data=data) for _ in range(2))

    assert first.headers["Location"] == second.headers["Location"]
    assert len(set(re.findall(r"/commands/([0-9a-f-]{36})", browser.fate(first)))) == 1


def test_packing_slips_of_many_are_one_page_to_print(
    browser: Browser, ten: list[int]
) -> None:
    assert browser.see(ticked("print", *ten)).count("<h1>Packing slip</h1>") == 10


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/orders/many?action=shipment", "no order was ticked"),
        ("/orders/many?action=dance&order=1", "action must be one of"),
        (ticked("shipment", *range(1, 202)), "at most 200 orders"),
    ],
)
def test_what_cannot_be_asked_is_told(
    client: FlaskClient, path: str, told: str
) -> None:
    answer = client.get(path)

    assert answer.status_code == 400
    assert told in answer.text


def test_a_form_without_its_key_sends_nothing(
    browser: Browser, client: FlaskClient, ten: list[int]
) -> None:
    hidden = hidden_of(browser.see("/customers/new"))
    for data in ({}, {"action": "shipment", "key": "x"}, {"action": "dance"}):
        answer = client.post("/orders/many", data={**hidden, "key": "", **data})
        assert answer.status_code == 400


def test_results_of_nothing_are_not_found(client: FlaskClient) -> None:
    path = "/orders/many/00000000-0000-4000-8000-000000000000?order=1"

    assert client.get(path).status_code == 404


def test_what_would_happen_to_each_order_is_told_and_nothing_is_sent(
    shop: Shop, browser: Browser, client: FlaskClient, place: Place, alice: str
) -> None:
    numbers = [place("paid"), place("pending")]
    page = browser.see(ticked("payment", numbers[1]))
    typed = {f"amount.{numbers[1]}": "5.00", "try": "1"}
    with shop.lent() as connection:
        before = contents(connection)
    paid = client.post("/orders/many", data={**fields_of(page), **typed})
    much = client.post(
        "/orders/many",
        data={**fields_of(page), **typed, f"amount.{numbers[1]}": "99.00"},
    )
    page = browser.see(ticked("shipment", numbers[0]))
    typed = {f"tracking_no.{numbers[0]}": "1Z", "try": "1"}
    shipped = client.post("/orders/many", data={**fields_of(page), **typed})
    with shop.lent() as connection:
        assert contents(connection) == before

    assert "Payment received Due: 20.00 EUR" in text_of(paid.text)
    assert "Refused: Of the 25.00 EUR that this order costs" in text_of(much.text)
    assert "Shipped Status: shipped" in text_of(shipped.text)
    assert "Nothing was sent." in text_of(shipped.text)
    assert f'value="{typed[f"tracking_no.{numbers[0]}"]}"' in shipped.text


@pytest.mark.parametrize("number", ["9" * 19, "9" * 5000, "²", "٣", "-1", "0", ""])
def test_a_number_that_no_order_has_is_told_and_no_error_of_ours(
    client: FlaskClient, alice: str, number: str
) -> None:
    asked = client.get("/orders/many", query_string={"order": number})
    followed = client.get(f"/orders/many/{uuid4()}", query_string={"order": number})
    copied = client.get("/orders/new", query_string={"copy": number})

    assert (asked.status_code, followed.status_code) == (400, 404)
    assert "none of these orders is here" in asked.text
    assert copied.status_code == 200


def test_a_missing_reason_is_marked_where_all_share_one(
    browser: Browser, client: FlaskClient, place: Place, alice: str
) -> None:
    page = browser.see(ticked("cancel", place("pending"), place("pending")))
    answer = client.post("/orders/many", data={**fields_of(page), "reason": ""})

    assert answer.status_code == 422
    assert answer.text.count('class="problem"') == 1


def test_what_is_sent_again_with_other_content_is_told_and_not_done(
    browser: Browser, client: FlaskClient, ten: list[int]
) -> None:
    form = fields_of(browser.see(ticked("shipment", *ten[:2])))
    typed = {f"tracking_no.{number}": f"1Z{number}" for number in ten[:2]}
    client.post("/orders/many", data={**form, **typed})
    # Back, and one of them is corrected.
    corrected = {**typed, f"tracking_no.{ten[0]}": "1Z77"}
    again = client.post("/orders/many", data={**form, **corrected})
    results = text_of(browser.fate(again))

    assert results.count("It was sent before with other content") == 1


def test_a_form_whose_page_has_grown_old_keeps_what_was_typed(
    browser: Browser, client: FlaskClient, ten: list[int]
) -> None:
    form = {**fields_of(browser.see(ticked("shipment", ten[0]))), "csrf_token": "old"}
    answer = client.post("/orders/many", data={**form, "tracking_no.1": "1Z1"})

    assert answer.status_code == 403
    assert "The page had grown old" in answer.text
    assert value_of(answer.text, "tracking_no.1") == "1Z1"
    assert fields_of(answer.text)["key"] == form["key"]


def test_the_address_alone_leads_to_the_list(client: FlaskClient) -> None:
    assert client.get("/orders/many").headers["Location"] == "/orders"


def test_going_back_to_what_was_refused_or_tried_sends_nothing_again(
    browser: Browser, client: FlaskClient, ten: list[int]
) -> None:
    address = ticked("shipment", *ten[:2])
    form = fields_of(browser.see(address))
    refused = client.post("/orders/many", data=form)
    typed = {f"tracking_no.{number}": "1Z" for number in ten[:2]}
    tried = client.post("/orders/many", data={**form, **typed, "try": "1"})

    for answer in (refused, tried):
        assert answer.headers["Cache-Control"] == "private, no-cache"
        # Sent from there, it leaves in its place the address that shows it anew.
        assert "/static/back.js" in answer.text
        assert f'data-back="{escape(address)}"' in answer.text
