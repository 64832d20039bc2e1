"""Going back to a form that was sent asks nobody to send it again."""

from flask.testing import FlaskClient

from tests.support.visiting import Browser, hidden_of

SCRIPT = "/static/back.js"


def test_a_form_that_was_changed_by_a_button_may_be_kept_by_the_browser(
    away: FlaskClient,
) -> None:
    page = Browser(away).send("/customers/new", name="Alice")
    changed = away.post(
        "/orders/new",
        data={**hidden_of(away.get("/orders/new").text), "add_line": "1"},
    )

    assert changed.headers["Cache-Control"] == "private, no-cache"
    assert SCRIPT not in changed.text
    # What is shown when one asks for it is kept by nobody.
    assert away.get("/orders/new").headers["Cache-Control"] == "no-store"
    assert page.status_code == 503


def test_a_form_that_was_refused_leaves_the_history_when_it_is_sent_again(
    away: FlaskClient,
) -> None:
    refused = Browser(away).send("/customers/new", name="Alice", email="wrong")

    assert refused.status_code == 422
    assert SCRIPT in refused.text
    assert SCRIPT not in away.get("/customers/new").text
    with away.get(SCRIPT) as script:
        assert "replaceState" in script.get_data(as_text=True)
