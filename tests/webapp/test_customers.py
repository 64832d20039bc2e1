"""The pages of customers: the list, one of them, and a change of their details."""

import re

import pytest
from flask.testing import FlaskClient

from tasks.shop.wiring import Shop
from tests.support.visiting import (
    CLOCKS,
    Browser,
    Place,
    Send,
    Work,
    hidden_of,
    value_of,
)


def customers_in(page: str) -> list[str]:
    return re.findall(r'data-label="Number">([^<]+)<', page)


def test_an_empty_list_says_what_to_do(browser: Browser) -> None:
    page = browser.see("/customers")

    assert "There are no customers yet." in page
    assert "/customers/new" in page


def test_the_list_shows_who_they_are_and_what_they_are_worth(
    browser: Browser, place: Place, alice: str, bob: str
) -> None:
    place()
    place("cancelled")
    page = browser.see("/customers")

    assert customers_in(page) == ["ALICE", "BOB"]
    assert "25.00 EUR" in page
    assert "Bob &amp; Söhne" in page
    assert "bob@example.com" in page
    assert "none yet" in page


def test_the_list_is_searched_and_sorted(
    browser: Browser, place: Place, alice: str, bob: str
) -> None:
    place(customer_id=bob)

    assert customers_in(browser.see("/customers?q=sohne")) == ["BOB"]
    assert customers_in(browser.see("/customers?sort=-worth")) == ["BOB", "ALICE"]
    assert customers_in(browser.see("/customers?sort=-name")) == ["BOB", "ALICE"]


def test_the_list_is_turned_page_by_page(
    browser: Browser, alice: str, bob: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.pages.customers.A_PAGE", 1)
    first = browser.see("/customers")
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following
    second = browser.see(following[1])

    assert customers_in(first) + customers_in(second) == ["ALICE", "BOB"]
    assert "Back to the first page" in second


def test_a_search_that_finds_nobody_says_so(browser: Browser, alice: str) -> None:
    page = browser.see("/customers?q=nobody")

    assert "No customer was found." in page
    assert "Show all customers" in page


def test_a_customer_has_details_worth_and_orders(
    browser: Browser, place: Place, bob: str
) -> None:
    mine = place(customer_id=bob)
    place("cancelled", customer_id=bob)
    page = browser.see("/customers/BOB")

    for told in ("bob@example.com", "0621-08460", "Mannheim", "25.00 EUR"):
        assert told in page
    assert "2 orders, 1 of them cancelled and not counted" in page
    assert f'href="/orders/{mine}"' in page
    assert "/orders/new?customer=BOB" in page
    assert "/customers/BOB/edit" in page


def test_more_orders_than_the_page_has_are_a_link_away(
    browser: Browser, place: Place, alice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.pages.customers.ORDERS_SHOWN", 1)
    place()
    place()
    page = browser.see("/customers/ALICE")

    assert "/orders?customer=ALICE" in page
    assert "All 2 orders" in page


def test_the_details_are_filled_in_and_changed(
    browser: Browser, work: Work, bob: str
) -> None:
    form = browser.see("/customers/BOB/edit")
    sent = browser.send(
        "/customers/BOB/edit",
        name="Bob Bauer",
        **{
            name: value_of(form, name) or ""
            for name in ("email", "address.street", "address.city", "address.country")
        },
    )
    work(sent)
    page = browser.see("/customers/BOB")

    assert value_of(form, "name") == "Bob & Söhne"
    assert value_of(form, "address.city") == "Mannheim"
    assert "Customer BOB is changed" in browser.fate(sent)
    assert "<h1>Bob Bauer</h1>" in page
    assert "Mannheim" in page
    assert "<dt>Phone" not in page


def test_who_changes_what_somebody_else_has_changed_is_told(
    browser: Browser, client: FlaskClient, send: Send, work: Work, bob: str
) -> None:
    form = hidden_of(browser.see("/customers/BOB/edit"))
    meanwhile = {"customer_id": "BOB", "name": "Robert"}
    work(send("ChangeCustomerDetails", meanwhile, key="meanwhile"))
    late = client.post("/customers/BOB/edit", data={**form, "name": "Bobby"})
    work(late)
    page = browser.fate(late)
    again = client.post("/customers/BOB/edit", data={**hidden_of(page), "name": "Bo"})
    work(again)

    assert "Somebody else has changed it meanwhile." in page
    assert value_of(page, "name") == "Bobby"
    assert "Customer BOB is changed" in browser.fate(again)


def test_a_fault_in_the_details_keeps_what_was_typed(
    browser: Browser, bob: str
) -> None:
    page = browser.send("/customers/BOB/edit", name="", email="nowhere")

    assert page.status_code == 422
    assert "Name is missing." in page.text
    assert value_of(page.text, "email") == "nowhere"
    assert hidden_of(page.text)["version"] == "1"


@pytest.mark.parametrize("version", ["abc", "-1", "9" * 23, "", None])
def test_a_form_that_lost_its_version_is_opened_anew_and_overwrites_nothing(
    browser: Browser, client: FlaskClient, bob: str, version: str | None
) -> None:
    form = hidden_of(browser.see("/customers/BOB/edit")) | {"name": "Bobby"}
    del form["version"]
    form |= {} if version is None else {"version": version}
    page = client.post("/customers/BOB/edit", data=form)

    assert page.status_code == 400
    assert "The form was changed on its way, or is broken" in page.text
    assert '<a href="/customers/BOB/edit">Open the form again</a>' in page.text
    assert "without the key" not in page.text
    assert value_of(page.text, "name") == "Bobby"
    assert hidden_of(page.text)["key"] == form["key"]


def test_a_form_that_lost_its_key_still_says_so(
    browser: Browser, client: FlaskClient, bob: str
) -> None:
    form = hidden_of(browser.see("/customers/BOB/edit")) | {"name": "Bobby", "key": ""}
    page = client.post("/customers/BOB/edit", data=form)

    assert page.status_code == 400
    assert "The form came without the key" in page.text
    assert value_of(page.text, "name") == "Bobby"


def test_a_refused_change_that_expected_no_version_is_no_form_to_send_again(
    browser: Browser, send: Send, work: Work, alice: str, bob: str
) -> None:
    taken = {"customer_id": "ALICE", "name": "Alice", "email": "bob@example.com"}
    sent = send("ChangeCustomerDetails", taken, key="taken")
    work(sent)
    page = browser.see(f"/commands/{sent.headers['Location'].rpartition('/')[2]}")

    assert "The form still has what you typed" not in page
    assert value_of(page, "name") is None


@pytest.mark.parametrize("page", ["", "/edit"])
def test_a_customer_who_never_was_is_not_found(client: FlaskClient, page: str) -> None:
    response = client.get(f"/customers/NOBODY{page}")

    assert response.status_code == 404
    assert "There is no customer NOBODY." in response.text


@pytest.mark.parametrize("name", ["%00", "a%20b", "-", "x" * 41, "%F0%9F%95%B0"])
def test_what_is_no_customer_s_number_is_not_found(
    client: FlaskClient, name: str
) -> None:
    assert client.get(f"/customers/{name}").status_code == 404
    assert client.get(f"/api/customers/{name}").status_code == 404


def test_a_customer_called_new_has_a_page_of_their_own(
    browser: Browser, client: FlaskClient, send: Send, work: Work
) -> None:
    work(send("RegisterCustomer", {"customer_id": "new", "name": "Nora"}))
    work(send("PlaceOrder", {**CLOCKS, "customer_id": "new"}, key="order"))

    assert 'href="/customers/~new"' in browser.see("/orders")
    assert "<h1>Nora</h1>" in browser.see("/customers/~new")
    assert "<h1>Register a customer</h1>" in browser.see("/customers/new")
    assert client.get("/api/customers/new").status_code == 200


@pytest.mark.parametrize("name", ["changes", "changes.csv"])
def test_one_who_is_called_as_a_page_of_all_has_pages_of_their_own(
    browser: Browser, client: FlaskClient, send: Send, work: Work, name: str
) -> None:
    work(send("RegisterCustomer", {"customer_id": name, "name": "Cora"}, key="a"))
    work(send("OpenAccount", {"account_id": name}, key="b"))

    assert f'href="/customers/~{name}"' in browser.see("/customers")
    assert "<h1>Cora</h1>" in browser.see(f"/customers/~{name}")
    assert f'href="/accounts/~{name}"' in browser.see("/accounts")
    assert f"<h1>Account {name}</h1>" in browser.see(f"/accounts/~{name}")
    assert client.get(f"/api/customers/~{name}").get_json()["name"] == "Cora"
    order = send("PlaceOrder", {**CLOCKS, "customer_id": name}, key="c")
    work(order)
    links = client.get("/api/orders/1").get_json()["links"]
    assert links["customer"] == f"/api/customers/~{name}"


def test_before_somebody_is_forgotten_one_is_told_what_stays_readable(
    browser: Browser, shop: Shop, alice: str
) -> None:
    before = browser.see("/customers/ALICE/forget")
    with shop.engine.begin() as connection:
        connection.exec_driver_sql("CREATE SCHEMA log_before_1")
    after = browser.see("/customers/ALICE/forget")

    assert "is kept" not in before
    assert "the old one is kept (log_before_1)" in after
    assert "recount log drop" in after


def test_a_customer_who_was_found_by_what_is_not_shown_is_shown_with_it(
    browser: Browser, bob: str
) -> None:
    page = browser.see("/customers?q=mann+0621+08460")

    assert (
        '<small class="found"><mark>0621-08460</mark> · <mark>Mann</mark>heim' in page
    )
