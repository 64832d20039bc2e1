"""Commands for a later time: accepted, shown, listed and taken back."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tasks.shop.wiring import Shop
from tests.support.visiting import (
    ALICE,
    Browser,
    Work,
    ask,
    assert_problem,
    hidden_of,
)

TOMORROW = (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="seconds")
Schedule = Callable[..., TestResponse]


@pytest.fixture
def schedule(client: FlaskClient) -> Schedule:
    """Send a registration with a time, as a program does."""

    def schedule(
        not_before: Any = TOMORROW, key: str = "first", **data: str
    ) -> TestResponse:
        return client.post(
            "/api/commands",
            json={
                "type": "RegisterCustomer",
                "data": {**ALICE, **data},
                "not_before": not_before,
            },
            headers={"Idempotency-Key": key},
        )

    return schedule


def take_back(client: FlaskClient, accepted: TestResponse, body: Any) -> TestResponse:
    return client.post(f"{accepted.headers['Location']}/cancel", json=body)


@pytest.fixture
def pass_by(shop: Shop) -> Callable[[], None]:
    """Let the time of all that is scheduled come."""

    def pass_by() -> None:
        with shop.autocommitting.connect() as connection:
            connection.execute(
                sa.text(
                    "UPDATE commands SET not_before = now() WHERE not_before > now()"
                )
            )

    return pass_by


def test_a_command_for_tomorrow_is_accepted_as_scheduled(
    client: FlaskClient, schedule: Schedule
) -> None:
    response = schedule()

    assert response.status_code == 202
    assert response.json is not None
    assert response.json["status"] == "scheduled"
    assert response.json["not_before"] == TOMORROW
    assert response.json["links"]["cancel"] == f"{response.headers['Location']}/cancel"
    entry = ask(client, response.headers["Location"])
    assert (entry["status"], entry["not_before"]) == ("scheduled", TOMORROW)


def test_a_time_that_has_just_passed_is_now(schedule: Schedule) -> None:
    moment = datetime.now(UTC) - timedelta(minutes=4)
    response = schedule(moment.isoformat())

    assert response.status_code == 202
    assert response.json is not None
    assert response.json["status"] == "accepted"
    assert "cancel" not in response.json["links"]


def test_it_is_run_when_its_time_has_come_and_not_before(
    client: FlaskClient, schedule: Schedule, work: Work, pass_by: Callable[[], None]
) -> None:
    response = schedule()
    work(response)
    assert ask(client, response.headers["Location"])["status"] == "scheduled"
    pass_by()
    assert ask(client, response.headers["Location"])["status"] == "accepted"
    work(response)

    assert ask(client, response.headers["Location"])["status"] == "succeeded"


def test_nobody_is_told_of_what_is_due_later(
    schedule: Schedule, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[object] = []
    monkeypatch.setattr("tasks.broker.publish.send", lambda *args: sent.append(args))
    schedule()
    assert sent == []
    schedule(datetime.now(UTC).isoformat(), key="now", customer_id="BOB")

    assert len(sent) == 1


def test_the_same_again_is_the_same_command_also_when_its_time_has_passed(
    schedule: Schedule, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, again = schedule(), schedule()
    monkeypatch.setattr(
        "webapp.api.scheduling.problem_with", lambda *_: "lies in the past"
    )
    late = schedule()

    assert again.json == first.json
    assert (late.status_code, late.json) == (202, first.json)
    assert schedule(key="second").status_code == 422


def test_another_time_is_other_content(schedule: Schedule) -> None:
    schedule()
    later = (datetime.now(UTC) + timedelta(days=2)).isoformat()

    assert_problem(schedule(later), 422, "key-reused")


@pytest.mark.parametrize(
    "moment",
    [
        "tomorrow",
        "2026-11-23",
        "2026-11-23T14:05:00",
        7,
        True,
        "",
        ["2126-11-23T14:05:00Z"],
        "9999-12-31T23:59:59Z",
    ],
)
def test_what_is_no_time_with_its_zone_is_a_fault(
    schedule: Schedule, moment: object
) -> None:
    problem = assert_problem(schedule(moment), 422, "invalid-input")

    assert [fault["field"] for fault in problem["faults"]] == ["not_before"]


@pytest.mark.parametrize(
    ("distance", "told"),
    [(timedelta(minutes=-6), "in the past"), (timedelta(days=3_661), "ten years")],
)
def test_a_time_that_cannot_be_meant_is_a_fault(
    schedule: Schedule, distance: timedelta, told: str
) -> None:
    response = schedule((datetime.now(UTC) + distance).isoformat())

    (fault,) = assert_problem(response, 422, "invalid-input")["faults"]
    assert told in fault["problem"]


def test_a_scheduled_command_is_taken_back(
    client: FlaskClient, schedule: Schedule, work: Work, pass_by: Callable[[], None]
) -> None:
    response = schedule()
    taken_back = take_back(client, response, {"because": "a slip"})
    again = take_back(client, response, {})
    pass_by()
    work(response)

    assert taken_back.status_code == 200
    assert taken_back.get_json()["status"] == "cancelled"
    assert again.get_json() == taken_back.get_json()
    assert ask(client, response.headers["Location"])["status"] == "cancelled"
    assert ask(client, "/api/customers")["customers"] == []


def test_what_is_due_or_done_is_not_taken_back(
    client: FlaskClient, schedule: Schedule, work: Work, pass_by: Callable[[], None]
) -> None:
    response = schedule()
    pass_by()
    due = assert_problem(take_back(client, response, {}), 409, "too-late")
    work(response)
    done = assert_problem(take_back(client, response, {}), 409, "too-late")

    assert due["command_status"] == "accepted"
    assert done["command_status"] == "succeeded"


def test_what_never_was_is_not_taken_back(client: FlaskClient) -> None:
    response = client.post(f"/api/commands/{uuid4()}/cancel", json={})

    assert_problem(response, 404, "not-found")


@pytest.mark.parametrize(
    "body", [[], {"because": 7}, {"because": "x" * 501}, {"because": "\0"}, {"why": ""}]
)
def test_a_reason_that_is_none_is_a_fault(
    client: FlaskClient, schedule: Schedule, body: object
) -> None:
    assert_problem(take_back(client, schedule(), body), 422, "invalid-input")


def test_what_a_foreign_page_can_send_takes_nothing_back(
    client: FlaskClient, schedule: Schedule
) -> None:
    address = schedule().headers["Location"]
    form = client.post(f"{address}/cancel", data={"because": "ha"})
    nothing = client.post(f"{address}/cancel")

    assert (form.status_code, nothing.status_code) == (415, 400)
    assert ask(client, address)["status"] == "scheduled"


def test_the_page_says_when_it_will_be_done_and_takes_it_back(
    browser: Browser, client: FlaskClient, schedule: Schedule
) -> None:
    answer = schedule().get_json()
    path = f"/commands/{answer['id']}"
    page = browser.see(path)
    sent = client.post(f"{path}/cancel", data=hidden_of(page))

    assert "The customer will be registered" in page
    assert f'<time datetime="{TOMORROW}">' in page
    assert 'hx-trigger="every 30s"' in page
    assert "It was cancelled before its time." in browser.fate(sent)


def test_the_scheduled_are_listed_by_their_time_page_by_page(
    client: FlaskClient, schedule: Schedule
) -> None:
    now = datetime.now(UTC)
    for days in (3, 1, 2):
        moment = (now + timedelta(days=days)).isoformat()
        schedule(moment, key=str(days), customer_id=f"C{days}")
    first = ask(client, "/api/commands?status=scheduled&limit=2")
    second = ask(client, first["next"])

    streams = [c["stream_id"] for c in [*first["commands"], *second["commands"]]]
    assert streams == ["customer-C1", "customer-C2", "customer-C3"]
    assert second["next"] is None
    assert first["commands"][0]["status"] == "scheduled"


def test_commands_are_listed_by_status_and_type_the_newest_first(
    client: FlaskClient, schedule: Schedule, work: Work
) -> None:
    now = datetime.now(UTC).isoformat()
    for name in ("A", "B", "C"):
        schedule(now, key=name, customer_id=name)
    refused = schedule(now, key="again", customer_id="A")
    work(schedule(now, key="A", customer_id="A"), refused)

    def listed(asked: str) -> list[str]:
        found = []
        path = f"/api/commands?limit=1&{asked}"
        while path:
            answer = ask(client, path)
            found += [c["stream_id"] for c in answer["commands"]]
            path = answer["next"]
        return found

    streams = [f"customer-{name}" for name in ("A", "C", "B", "A")]
    assert listed("") == streams
    assert listed("type=PlaceOrder") == []
    assert listed("status=accepted") == streams[1:3]
    assert listed("status=succeeded") == ["customer-A"]
    assert listed("status=rejected&type=RegisterCustomer") == ["customer-A"]


@pytest.mark.parametrize(
    "asked", ["status=waiting", "type=Nothing", "stream=x", "after=x", "limit=0"]
)
def test_what_commands_cannot_be_asked_for_is_refused(
    client: FlaskClient, asked: str
) -> None:
    assert_problem(client.get(f"/api/commands?{asked}"), 400, "bad-request")


def test_a_cursor_serves_for_its_own_list_only(
    client: FlaskClient, schedule: Schedule
) -> None:
    for n in range(2):
        schedule(key=str(n))
    following = ask(client, "/api/commands?status=scheduled&limit=1")["next"]

    assert client.get(following).status_code == 200
    other = following.replace("scheduled", "failed")
    assert_problem(client.get(other), 400, "bad-request")
