"""A button changes the form that has it; on any other form it is refused."""

import pytest
from flask.testing import FlaskClient

from tests.support.visiting import Browser, hidden_of
from webapp.forms.definitions import BUTTONS, FORMS
from webapp.forms.form import Form

PLACES = {
    "order_id": 7,
    "customer_id": "ALICE",
    "account_id": "ALICE",
    "product_id": "RC-1",
}


def address_of(client: FlaskClient, endpoint: str) -> str:
    """Return the address at which the form of *endpoint* is sent."""
    for rule in client.application.url_map.iter_rules():
        if rule.endpoint == endpoint:
            built = rule.build(
                {n: PLACES[n] for n in rule.arguments}, append_unknown=False
            )
            assert built is not None
            return built[1]
    raise AssertionError(endpoint)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_no_button_of_another_form_can_be_pressed(
    away: FlaskClient, form: Form
) -> None:
    hidden = hidden_of(away.get("/customers/new").text)
    address = address_of(away, form.endpoint)
    for button in sorted(BUTTONS):
        answer = away.post(address, data={**hidden, button: "1"})
        if button in form.buttons:
            # Its database is away, and it says so; filling in asks it.
            assert answer.status_code in (200, 503), button
        else:
            assert answer.status_code == 400, button
            assert f"{button} is not a button of this form" in answer.text


def test_one_button_is_pressed_at_a_time(away: FlaskClient) -> None:
    hidden = hidden_of(away.get("/orders/new").text)

    answer = away.post(
        "/orders/new", data={**hidden, "add_line": "1", "fill_address": "1"}
    )

    assert answer.status_code == 400


def test_an_order_of_countless_lines_is_refused_before_it_is_shown(
    away: FlaskClient,
) -> None:
    hidden = hidden_of(away.get("/orders/new").text)
    lines = {f"items.{number}.product": "x" for number in range(5_000)}

    # Whether or not it has its token.
    for unseen in (hidden, {}):
        answer = away.post("/orders/new", data={**unseen, **lines, "add_line": "1"})

        assert answer.status_code == 413
        assert "at most 500 lines" in answer.text


def test_what_the_button_changes_is_sent_by_nobody(browser: Browser) -> None:
    typed = {"items.0.product": "CLOCK", "add_line": "1"}
    page = browser.send("/orders/new", **typed)

    assert page.status_code == 200
    assert "items.1.product" in page.text
