"""Requests for the last page of the events that wait until there is one."""

import time
from contextlib import ExitStack

import pytest

from tasks.shop.wiring import Shop
from tests.support.following import (
    append_events,
    ids_in_log,
    json_of,
)
from tests.support.slow_clients import (
    get,
    open_socket,
    read_all,
    read_answer,
    status_of,
)
from tests.support.waiting import wait_until
from webapp.feed import tally
from webapp.feed.follower import Follower
from webapp.feed.tally import WAITING

THREADS = 2


def test_requests_that_wait_keep_no_thread_and_are_answered_by_an_event(
    port: int, shop: Shop, follower: Follower
) -> None:
    with ExitStack() as stack, shop.lent() as connection:
        clients = [stack.enter_context(open_socket(port)) for _ in range(20)]
        for client in clients:
            client.sendall(get("/api/events", "Prefer: respond-async, wait=25"))
        wait_until(lambda: follower.tally.count(WAITING) == 20, "all wait")
        assert status_of(port, "/orders") == 200
        append_events(connection, 1)
        began = time.monotonic()
        for client in clients:
            answer = read_answer(client)
            assert b"Preference-Applied: wait=25" in answer
            (event,) = json_of(answer)["events"]
            assert [event["event_id"]] == ids_in_log(connection)
        assert time.monotonic() - began < 15
    wait_until(lambda: follower.tally.count(WAITING) == 0, "none waits")


def test_a_request_waits_for_what_it_wants_and_no_longer_than_it_says(
    port: int, shop: Shop
) -> None:
    with open_socket(port) as client, shop.lent() as connection:
        client.sendall(get("/api/events?category=customer", "Prefer: wait=1"))
        append_events(connection, 1)
        began = time.monotonic()
        answer = read_answer(client)
        assert time.monotonic() - began > 0.5
        assert json_of(answer)["events"] == []
        # The connection is as good as before, and so is the cursor.
        client.sendall(get(json_of(answer)["next"], "Prefer: wait=0"))
        assert b"Preference-Applied" not in read_answer(client)
    with open_socket(port) as client:
        client.sendall(get("/api/events", "Prefer: wait=1"))
        assert len(json_of(read_answer(client))["events"]) == 1


def test_what_is_asked_behind_a_request_that_waits_is_answered_behind_it(
    port: int,
) -> None:
    with open_socket(port) as client:
        client.sendall(get("/api/events", "Prefer: wait=1"))
        time.sleep(0.3)
        client.sendall(get("/healthz") * 2 + get("/healthz", "Connection: close"))
        client.settimeout(10)
        found = read_all(client)
    assert found.count(b"HTTP/1.1 200") == 4
    assert b'"events":[]' in found.split(b"HTTP/1.1 200")[1]


def test_who_goes_while_waiting_is_forgotten(port: int, follower: Follower) -> None:
    with open_socket(port) as client:
        client.sendall(get("/api/events", "Prefer: wait=25"))
        wait_until(lambda: follower.tally.count(WAITING) == 1, "it waits")
    wait_until(lambda: follower.tally.count(WAITING) == 0, "it is forgotten")


def test_beyond_the_limit_nobody_waits(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tally, "LIMITS", (0, 0))
    with open_socket(port) as client:
        client.sendall(get("/api/events", "Prefer: wait=25"))
        answer = read_answer(client)
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"Preference-Applied" not in answer
