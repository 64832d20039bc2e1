"""Two people who change the same: the second is told, and takes nothing back."""

import re
from dataclasses import replace
from html import unescape

from flask.testing import FlaskClient

from tasks.shop.wiring import Shop
from tests.support.databases import as_role
from tests.support.visiting import (
    Browser,
    Place,
    Send,
    Work,
    hidden_of,
    value_of,
)
from webapp import create_app
from webapp.forms.definitions import FORMS

CHANGE = FORMS["ChangeCustomerDetails"]


def test_what_two_have_changed_of_one_customer_is_kept_of_both(
    browser: Browser, client: FlaskClient, work: Work, bob: str
) -> None:
    form = browser.see("/customers/BOB/edit")
    seen = {name: value_of(form, name) or "" for name in CHANGE.fields}
    first = browser.send("/customers/BOB/edit", **{**seen, "phone": "0800-1"})
    work(first)
    mine = {**hidden_of(form), **seen, "email": "bobby@example.com"}
    late = client.post("/customers/BOB/edit", data=mine)
    work(late)
    page = browser.fate(late)
    told = re.sub(r"<[^>]*>", "", unescape(page))
    blindly = {name: value_of(page, name) or "" for name in CHANGE.fields}
    again = client.post("/customers/BOB/edit", data={**hidden_of(page), **blindly})
    work(again)
    now = browser.see("/customers/BOB")

    assert (
        f"Phone: from \u201c{seen['phone']}\u201d to \u201c0800-1\u201d, by local"
        in told
    )
    assert "0800-1" in now
    assert "bobby@example.com" in now


def test_the_rights_of_the_web_suffice_to_tell_what_both_have_changed(
    shop: Shop, browser: Browser, client: FlaskClient, work: Work, bob: str
) -> None:
    form = browser.see("/customers/BOB/edit")
    work(browser.send("/customers/BOB/edit", name="Bob", phone="0800-1"))
    late = client.post("/customers/BOB/edit", data={**hidden_of(form), "name": "Bobby"})
    work(late)
    url = as_role(shop.settings.database_url, "web")
    web = Shop(replace(shop.settings, database_url=url, role="web"))
    page = Browser(create_app(web).test_client()).fate(late)
    web.close()

    assert "This happened meanwhile" in page


def test_where_two_have_changed_the_same_the_field_says_so(
    browser: Browser, client: FlaskClient, work: Work, bob: str
) -> None:
    form = browser.see("/customers/BOB/edit")
    seen = {name: value_of(form, name) or "" for name in CHANGE.fields}
    other = {**seen, "address.city": "Bonn", "address.street": "Am Markt 1"}
    work(browser.send("/customers/BOB/edit", **other))
    mine = {**hidden_of(form), **seen, "address.city": "Worms", "name": "Bob"}
    late = client.post("/customers/BOB/edit", data=mine)
    work(late)
    page = browser.fate(late)

    assert "City was changed meanwhile to \u201cBonn\u201d." in page
    # An address is one thing: half of one and half of another is nobody's.
    assert value_of(page, "address.city") == "Worms"
    assert value_of(page, "address.street") == seen["address.street"]
    assert "Street was changed meanwhile to \u201cAm Markt 1\u201d." in page
    assert value_of(page, "name") == "Bob"
    assert "Name was changed" not in page


def test_a_form_that_was_overtaken_twice_knows_of_both(
    browser: Browser, client: FlaskClient, send: Send, work: Work, bob: str
) -> None:
    form = hidden_of(browser.see("/customers/BOB/edit"))
    for key, name in (("a", "Robert"), ("b", "Rob")):
        work(send("ChangeCustomerDetails", {"customer_id": "BOB", "name": name}, key))
    late = client.post("/customers/BOB/edit", data={**form, "name": "Bobby"})
    work(late)
    page = browser.fate(late)

    assert page.count("<strong>Name</strong>: from") == 2
    assert hidden_of(page)["version"] == "3"


def test_who_has_changed_nothing_takes_nothing_back(
    browser: Browser, client: FlaskClient, send: Send, work: Work, bob: str
) -> None:
    form = browser.see("/customers/BOB/edit")
    seen = {name: value_of(form, name) or "" for name in CHANGE.fields}
    new = {"customer_id": "BOB", "name": "Robert", "email": "r@example.com"}
    work(send("ChangeCustomerDetails", new, "a"))
    # Nothing of his own: he only pressed the button.
    late = client.post("/customers/BOB/edit", data={**hidden_of(form), **seen})
    work(late)
    page = browser.fate(late)

    assert value_of(page, "name") == "Robert"
    assert value_of(page, "phone") == ""
    assert value_of(page, "address.city") == ""
    assert "meanwhile to" not in page


def test_a_version_that_never_was_gives_no_form_to_send_blindly(
    browser: Browser, client: FlaskClient, send: Send, work: Work, bob: str
) -> None:
    sent = send(
        "ChangeCustomerDetails",
        {"customer_id": "BOB", "name": "Bo"},
        **{"If-Match": "7"},
    )
    work(sent)
    page = browser.see(f"/commands/{sent.headers['Location'].rpartition('/')[2]}")

    assert "It is at version 1, not 7." in page
    assert value_of(page, "name") is None


def test_two_who_refund_a_part_on_the_same_page_do_not_refund_both(
    browser: Browser,
    client: FlaskClient,
    send: Send,
    work: Work,
    place: Place,
    alice: str,
) -> None:
    place("paid")
    work(send("CancelOrder", {"order_id": 1, "reason": "no"}, key="off"))
    form = hidden_of(browser.see("/orders/1"))
    parts = [
        client.post("/orders/1/refund", data={**form, "key": key, "amount": "10.00"})
        for key in ("here", "there")
    ]
    work(*parts)
    page = browser.fate(parts[1])

    assert "The refund of order 1 is noted" in browser.fate(parts[0])
    assert "Somebody else has changed it meanwhile." in page
    assert "Payment refunded: 10.00 EUR, by local" in re.sub(
        r"<[^>]*>", "", unescape(page)
    )
    # Told of the first, the second may still mean it.
    again = client.post("/orders/1/refund", data={**hidden_of(page), "amount": "10.00"})
    work(again)
    assert "The refund of order 1 is noted" in browser.fate(again)
