"""The pages that wait for something ask for themselves again, and only they do."""

from flask.testing import FlaskClient

from tests.support.visiting import CLOCKS, Send

SCRIPT = "/static/vendor/htmx/htmx.min.js"


def test_a_page_that_waits_for_a_command_has_what_asks_again(
    client: FlaskClient, alice: str, send: Send
) -> None:
    sent = send("PlaceOrder", CLOCKS)
    page = client.get(f"/commands/{sent.get_json()['id']}").text

    assert 'hx-get="' in page
    assert SCRIPT in page


def test_other_pages_do_not_load_it(client: FlaskClient, alice: str) -> None:
    """It is half of what a first page would load."""
    for path in ("/orders", "/orders/new", "/customers/ALICE"):
        page = client.get(path).text

        assert "hx-" not in page
        assert SCRIPT not in page
