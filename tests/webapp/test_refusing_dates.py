"""Dates that cannot be are refused, by day, where the shop is."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from tasks.shop.wiring import Shop
from tests.support.visiting import CLOCKS, Browser, Place, Send, Work, in_days
from webapp import date_checks


def delivery(days: int = 0) -> dict[str, Any]:
    moment = datetime.now(UTC) + timedelta(days=days)
    return {"order_id": 1, "delivered_at": moment.isoformat()}


@pytest.mark.parametrize("day", ["1999-12-31", "2999-01-01", -1, 3_999])
def test_an_order_is_needed_from_today_on(send: Send, day: str | int) -> None:
    needed = day if isinstance(day, str) else str(in_days(day))
    response = send("PlaceOrder", {**CLOCKS, "required_date": needed})

    assert response.status_code == 422
    assert response.json is not None
    assert [fault["field"] for fault in response.json["faults"]] == ["required_date"]


@pytest.mark.parametrize("days", [0, 1, 365])
def test_an_order_may_be_needed_today_or_later(
    send: Send, alice: str, days: int
) -> None:
    response = send("PlaceOrder", {**CLOCKS, "required_date": str(in_days(days))})

    assert response.status_code == 202


def test_a_form_says_which_day_it_is(browser: Browser, alice: str) -> None:
    page = browser.send("/orders/new", customer_id="ALICE", required_date="1999-12-31")

    assert page.status_code == 422
    assert f"Needed by is before today, {in_days(0)}." in page.text


def test_all_that_is_wrong_is_told_at_once(send: Send) -> None:
    response = send("PlaceOrder", {"required_date": "1999-12-31"})

    assert response.json is not None
    assert {fault["field"] for fault in response.json["faults"]} == {
        "customer_id",
        "items",
        "address",
        "required_date",
    }


@pytest.mark.parametrize("days", [2, 355_000])
def test_nothing_has_arrived_in_the_future(send: Send, days: int) -> None:
    response = send("ConfirmDelivery", delivery(days))

    assert response.status_code == 422
    assert "must not be after today" in response.text


@pytest.mark.parametrize("year", [1970, 1990])
def test_nothing_arrives_before_it_was_placed(
    client: FlaskClient, send: Send, work: Work, place: Place, alice: str, year: int
) -> None:
    place("shipped")
    moment = f"{year}-01-01T00:00:00Z"
    sent = send("ConfirmDelivery", {"order_id": 1, "delivered_at": moment})
    work(sent)
    error = client.get(sent.headers["Location"]).get_json()["error"]

    assert error["rule"] == "DeliveredTooEarly"
    assert error["message"].startswith(f"It cannot have arrived on {year}-01-01")


def test_a_batch_refuses_the_line(client: FlaskClient) -> None:
    line = {"type": "ConfirmDelivery", "data": delivery(2), "key": "a"}
    response = client.post("/api/commands/batch", json=[line])

    assert response.status_code == 422
    assert "must not be after today" in response.text


def test_what_was_accepted_is_answered_again_after_its_day(
    send: Send, alice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = {**CLOCKS, "required_date": str(in_days(1))}
    first = send("PlaceOrder", data, key="again")
    later = datetime.now(UTC) + timedelta(days=5)
    monkeypatch.setattr(date_checks, "find_doubtful", at(later))
    again, other = send("PlaceOrder", data, key="again"), send("PlaceOrder", data, "x")

    assert (first.status_code, again.status_code) == (202, 202)
    assert first.headers["Location"] == again.headers["Location"]
    assert other.status_code == 422


def test_a_clock_of_the_web_that_is_wrong_refuses_nothing(
    send: Send, alice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = datetime.now(UTC) + timedelta(days=5)
    asked: list[datetime] = []

    def find_doubtful(shop: Shop, name: str, data: Any, now: datetime) -> Any:
        asked.append(now)
        return DOUBTED(shop, name, data, ahead if len(asked) == 1 else now)

    monkeypatch.setattr(date_checks, "find_doubtful", find_doubtful)
    response = send("PlaceOrder", {**CLOCKS, "required_date": str(in_days(1))})

    assert response.status_code == 202
    assert len(asked) == 2


DOUBTED = date_checks.find_doubtful


def at(moment: datetime) -> Any:
    """Return `find_doubtful` as it is at another moment."""
    return lambda shop, name, data, _: DOUBTED(shop, name, data, moment)
