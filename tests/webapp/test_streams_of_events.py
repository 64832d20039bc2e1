"""Streams of events by the server of ours: all that happens, once and in order."""

import threading
from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import pytest

from tasks.shop import event_feed
from tasks.shop.published_events import MASKED
from tasks.shop.wiring import Shop
from tests.support.desk import Do, alice, pay, place
from tests.support.following import (
    StreamClient,
    append_events,
    follow_by_pages,
    ids_in_log,
    json_of,
)
from tests.support.slow_clients import (
    get,
    open_socket,
    read_all,
    status_of,
)
from tests.support.users import token_of, user
from tests.support.waiting import wait_until
from webapp.feed import follower as feed
from webapp.feed import subscribers

THREADS = 2


def test_a_stream_has_all_that_was_and_all_that_comes(port: int, shop: Shop) -> None:
    with shop.lent() as connection:
        append_events(connection, 700)
        with StreamClient(port) as client:
            assert client.status == 200
            client.receive_until(700)
            append_events(connection, 50, first=701)
            client.receive_until(750)
        assert client.ids == ids_in_log(connection)


def test_a_stream_goes_on_behind_the_event_that_was_read_last(
    port: int, shop: Shop
) -> None:
    client = StreamClient(port)
    with shop.lent() as connection:
        for first in (1, 11, 21):
            append_events(connection, 10, first=first)
            client.open()
            client.receive_until(first + 9)
            client.close()
        assert client.ids == ids_in_log(connection)


def test_what_a_browser_was_told_last_counts_more_than_its_address(
    port: int, shop: Shop
) -> None:
    with shop.lent() as connection:
        append_events(connection, 3)
    client = StreamClient(port, "/api/events/stream?after=0")
    with client:
        client.receive_until(3)
    with shop.lent() as connection:
        append_events(connection, 1, first=4)
        with client:
            client.receive_until(4)
        assert client.ids == ids_in_log(connection)


def test_streams_that_want_other_events_get_those(port: int, do: Do) -> None:
    paths = ("?category=customer", "?types=PaymentReceived", "")
    with ExitStack() as stack:
        clients = [
            stack.enter_context(StreamClient(port, f"/api/events/stream{path}"))
            for path in paths
        ]
        do(alice, place, pay)
        for client, count in zip(clients, (1, 1, 3), strict=True):
            client.receive_until(count)
    assert [[event["type"] for event in client.events] for client in clients] == [
        ["CustomerRegistered"],
        ["PaymentReceived"],
        ["CustomerRegistered", "OrderCreated", "PaymentReceived"],
    ]


def test_who_wants_little_is_told_how_far_it_was_read(
    port: int, do: Do, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscribers, "SECONDS_BETWEEN_SIGNS", 0.2)
    with StreamClient(port, "/api/events/stream?category=transfer") as client:
        wait_until(lambda: client.receive() and "alive" in client.comments, "a sign")
        do(alice)
        wait_until(lambda: client.receive() and client.last_id, "an id", seconds=20)
    assert client.events == []
    assert client.last_id.startswith("1-")


def test_a_stream_masks_what_is_personal(port: int, shop: Shop, do: Do) -> None:
    user(shop, "staff", "admin")
    tokens = [token_of(shop, "staff", [scope]) for scope in ("events.read", "all")]
    do(alice)
    names = []
    for token in tokens:
        path = "/api/events/stream"
        headers = {"Authorization": f"Bearer {token}"}
        with StreamClient(port, path, headers) as client:
            client.receive_until(1)
            names.append(client.events[0]["data"]["name"])
    assert names == [MASKED, "Alice"]


def test_open_streams_keep_no_thread_and_share_a_read(
    port: int, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = []

    def read_page(*arguments: Any, **more: Any) -> Any:
        reads.append(arguments[1])
        return original(*arguments, **more)

    original = event_feed.read_page
    monkeypatch.setattr(feed, "read_page", read_page)
    with ExitStack() as stack, shop.lent() as connection:
        clients = [stack.enter_context(StreamClient(port)) for _ in range(64)]
        assert status_of(port, "/orders") == 200
        append_events(connection, 1)
        for client in clients:
            client.receive_until(1)
        reads.clear()
        append_events(connection, 1, first=2)
        for client in clients:
            client.receive_until(2)
        assert len(reads) == 1
        assert {tuple(client.ids) for client in clients} == {
            tuple(ids_in_log(connection))
        }


def test_streams_outlive_the_sessions_of_the_database(port: int, shop: Shop) -> None:
    with StreamClient(port) as client, shop.lent() as connection:
        append_events(connection, 1)
        client.receive_until(1)
        connection.execute(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()
            """
        )
        append_events(connection, 1, first=2)
        client.receive_until(2)
        assert client.ids == ids_in_log(connection)


def test_a_cursor_that_is_none_is_refused(port: int) -> None:
    for cursor in ("x", "1-2", "-1", "9" * 30, f"x-{uuid4()}", "1,2", "1;" * 5_000):
        with open_socket(port) as client:
            head = f"Last-Event-ID: {cursor}"
            client.sendall(get("/api/events/stream", head, "Connection: close"))
            found = read_all(client)
        assert found.startswith(b"HTTP/1.1 400")
        assert json_of(found)["type"] == "/problems/bad-request"


def test_events_that_come_while_others_are_rolled_back_are_followed_in_order(
    port: int, shop: Shop
) -> None:
    def write(seed: int) -> None:
        with shop.lent() as connection:
            for number in range(40):
                connection.execute("BEGIN")
                first = seed * 100_000 + number * 10
                append_events(connection, 1 + number % 3, first=first)
                connection.execute("ROLLBACK" if number % 4 == 0 else "COMMIT")

    writers = [threading.Thread(target=write, args=(seed,)) for seed in (1, 2, 3)]
    with StreamClient(port) as client, shop.lent() as connection:
        for writer in writers:
            writer.start()
        paged = follow_by_pages(port, lambda: any(w.is_alive() for w in writers))
        client.receive_until(len(ids_in_log(connection)))
        assert client.ids == paged == ids_in_log(connection)
        assert len(set(client.ids)) == len(client.ids) > 100
