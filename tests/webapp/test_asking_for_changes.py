"""GET /api/changes: the rows of a read model and their changes, for other services."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from domain.address import Address
from domain.customers.commands import ForgetCustomer
from eventstore.cursors import encode_cursor
from eventstore.projections.following import follow, unfollow
from tasks.shop import rebuild
from tasks.shop.wiring import Shop
from tests.support.desk import Do, alice, bob, pay, place, rename
from tests.support.following import json_of
from tests.support.slow_clients import get, open_socket, read_answer
from tests.support.users import bearing, token_of, user
from tests.support.visiting import ask, assert_problem
from tests.support.waiting import wait_until
from webapp.feed.follower import Follower
from webapp.feed.tally import WAITING

LIST = "/api/changes?readmodel=order_list"


@pytest.fixture(autouse=True)
def _followed(shop: Shop) -> None:
    follow_by(shop, "order_list")


def follow_by(shop: Shop, *names: str) -> None:
    with shop.lent() as connection, connection.transaction():
        for projection in shop.projections:
            if projection.name in names:
                follow(connection, projection)


def take_all(client: FlaskClient, address: str) -> tuple[list[dict[str, Any]], str]:
    """Return the changes from an address up to the last page, and what is next."""
    changes = []
    while True:
        answer = ask(client, address)
        changes += answer["changes"]
        address = answer["next"]
        if answer["is_last"]:
            return changes, address


def test_rows_come_once_in_the_order_of_their_last_change(
    client: FlaskClient, do: Do
) -> None:
    do(alice, place)
    do(place)
    do(pay)
    changes, following = take_all(client, f"{LIST}&limit=1")

    assert [change["key"] for change in changes] == [2, 1]
    assert changes[0]["change"] < changes[1]["change"]
    assert [change["position"] for change in changes] == [3, 4]
    assert changes[1]["row"]["status"] == "paid"
    assert ask(client, following)["changes"] == []
    do(rename)
    changes, following = take_all(client, following)
    assert [c["row"]["customer_name"] for c in changes] == ["Alice Retro"] * 2
    do(ForgetCustomer(customer_id="ALICE"))
    changes, _ = take_all(client, following)
    assert [c["row"]["customer_name"] for c in changes] == ["(forgotten)"] * 2


def test_an_answer_says_where_it_stands(client: FlaskClient, do: Do) -> None:
    do(alice, place)
    answer = ask(client, LIST)

    assert (answer["readmodel"], answer["generation"]) == ("order_list", 1)
    assert (answer["position"], answer["behind"], answer["is_last"]) == (2, 0, True)
    assert len(answer["epoch"]) == 36


def test_after_a_rebuild_the_cursor_is_gone_and_next_begins_again(
    client: FlaskClient, shop: Shop, do: Do
) -> None:
    do(alice, place)
    _, following = take_all(client, LIST)
    (projection,) = (p for p in shop.projections if p.name == "order_list")
    rebuild.rebuild(shop, projection, lambda _: None)
    told = assert_problem(client.get(following), 410, "changes-begun-again")

    assert told["generation"] == 2
    assert [c["key"] for c in take_all(client, told["next"])[0]] == [1]


def test_a_cursor_of_a_log_that_is_not_here_is_refused(
    client: FlaskClient, do: Do
) -> None:
    do(alice, place)
    answer = ask(client, LIST)
    (change,) = answer["changes"]
    here = [answer["epoch"], 1, change["change"], 1, 2]
    for place_in_it in (
        [*here, str(uuid4())],
        [*here[:2], 2**60, *here[3:], None],
        [*here[:4], 900, str(uuid4())],
    ):
        cursor = encode_cursor("changes of order_list", place_in_it)
        told = assert_problem(client.get(f"{LIST}&after={cursor}"), 410, "other-log")
        assert client.get(told["next"]).get_json()["changes"] == answer["changes"]


def test_a_read_model_that_nobody_follows_says_so(
    client: FlaskClient, shop: Shop, do: Do
) -> None:
    _, following = take_all(client, LIST)
    with shop.lent() as connection, connection.transaction():
        unfollow(connection, "order_list")
    for address in (LIST, following):
        told = assert_problem(client.get(address), 404, "not-followed")
        assert "recount readmodels follow order_list" in told["detail"]


def test_what_is_personal_is_left_out_without_the_scope(
    client: FlaskClient, shop: Shop, do: Do
) -> None:
    """Of every read model: the names of its columns say which are personal."""
    follow_by(shop, *(projection.name for projection in shop.projections))
    home = Address(street="Sentinel Street", city="Sentinel", country="Sentinel")
    do(
        replace(
            alice,
            name="Sentinel",
            email="sentinel@example.com",
            contact_name="Sentinel",
            phone="Sentinel",
            address=home,
        ),
        replace(place, address=home),
        pay,
    )
    user(shop, "audrey", "auditor")
    masked = bearing(token_of(shop, "audrey", ["events.read"]))
    personal = bearing(token_of(shop, "audrey", ["events.read", "personal"]))
    shown = 0
    for projection in shop.projections:
        address = f"/api/changes?readmodel={projection.name}"
        without = client.get(address, headers=masked)
        assert without.status_code == 200
        assert "sentinel" not in without.text.lower(), projection.name
        whole = client.get(address, headers=personal).get_json()
        assert whole["hidden"] == []
        shown += "sentinel" in str(whole).lower()
        for change, part in zip(
            whole["changes"], without.get_json()["changes"], strict=True
        ):
            hidden = without.get_json()["hidden"]
            assert {**change["row"], **part["row"]} == change["row"]
            assert set(change["row"]) - set(part["row"]) == set(hidden)
    assert shown == 4


def test_who_may_not_read_events_may_not_follow_rows(
    client: FlaskClient, shop: Shop
) -> None:
    headers = user(shop, "sally", "sales")
    assert_problem(client.get(LIST, headers=headers), 403, "forbidden")


def test_what_cannot_be_meant_is_refused(
    client: FlaskClient, shop: Shop, do: Do
) -> None:
    follow_by(shop, "customers")
    do(alice)
    _, of_customers = take_all(client, "/api/changes?readmodel=customers")
    other = of_customers.replace("customers", "order_list")
    for address, told in [
        ("/api/changes", "readmodel must be one of"),
        ("/api/changes?readmodel=order_lists", "did you mean order_list?"),
        (f"{LIST}&after=x", "cursor of the changes of order_list"),
        (f"{LIST}&limit=1001", "1 to 1000"),
        (other, "cursor of the changes of order_list"),
    ]:
        body = assert_problem(client.get(address), 400, "bad-request")
        assert told in body["detail"]


def test_a_request_waits_for_a_change_and_no_longer_than_it_says(
    port: int, shop: Shop, do: Do, follower: Follower
) -> None:
    do(alice, bob)
    with open_socket(port) as client:
        client.sendall(get(LIST, "Prefer: wait=25"))
        wait_until(lambda: follower.tally.count(WAITING) == 1, "it waits")
        do(place)
        answer = read_answer(client)
        assert b"Preference-Applied: wait=25" in answer
        assert [change["key"] for change in json_of(answer)["changes"]] == [1]
        client.sendall(get(json_of(answer)["next"], "Prefer: wait=1"))
        assert json_of(read_answer(client))["changes"] == []
    wait_until(lambda: follower.tally.count(WAITING) == 0, "none waits")
