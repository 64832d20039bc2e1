"""How old the rows are that are shown, in seconds."""

import re

import pytest
from flask.testing import FlaskClient

from tasks.shop.wiring import Shop
from tests.support.desk import Do, alice, place
from tests.support.standing_still import LIST, STEPPED, Scene
from tests.support.told_everywhere import ask_all, line_of
from tests.support.visiting import ask
from tests.support.waiting import wait_until


@pytest.fixture
def scene(
    shop: Shop, client: FlaskClient, do: Do, monkeypatch: pytest.MonkeyPatch
) -> Scene:
    do(alice, place)
    return Scene(shop, client, monkeypatch)


def test_the_age_of_what_is_not_read_is_told_in_seconds(
    scene: Scene, client: FlaskClient
) -> None:
    """By the time when it was recorded: an imported event happened long before."""
    scene.order()
    scene.execute(STEPPED.format(by="40 seconds"))
    told = ask_all(client)

    for lines in (told.status, told.lag):
        assert re.search(r", 1 behind by [45]\d s, ", line_of(lines))
    assert 40 <= told.figures["recount_subscription_lag_seconds", LIST] < 60
    assert 40 <= told.ready["lag_seconds"] < 60
    assert "It shows the shop as of" in told.page
    assert re.search(r"</time>, [45]\d s ago", told.page)


def test_rows_that_are_being_brought_up_to_date_tell_their_age(
    scene: Scene, client: FlaskClient
) -> None:
    """A reader that moves does not stand still, and may be minutes behind."""
    scene.order()
    scene.execute(STEPPED.format(by="3 minutes"))
    scene.execute("UPDATE subscriptions SET moved_at = clock_timestamp()")
    told = ask_all(client)

    assert "stands_still_because" not in told.api
    assert told.ready["status"] == "ok"
    assert "is being brought up to date" in told.page
    assert "3 min ago" in told.page


def test_an_age_that_is_unknown_is_not_told(scene: Scene, client: FlaskClient) -> None:
    """The clock was set back by an hour, so the event comes from the future."""
    scene.order()
    scene.execute(STEPPED.format(by="-1 hour"))
    told = ask_all(client)

    assert ("recount_subscription_lag_seconds", LIST) not in told.figures
    assert "as of" not in told.page
    assert told.api["stands_still_since"] is None


def test_a_clock_set_back_by_an_hour_hides_nothing(
    scene: Scene, client: FlaskClient
) -> None:
    """What came in after it counts from then, though all moved an hour later."""
    scene.execute(STEPPED.format(by="-1 hour"))
    scene.order()

    def is_shown() -> bool:
        return "stands_still_because" in ask(client, "/api/orders")

    assert not is_shown()
    wait_until(is_shown, "it is told", seconds=10)
