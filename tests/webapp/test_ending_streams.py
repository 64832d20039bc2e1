"""What ends a stream of events, and what does not begin one."""

import json
import os
import socket
import struct
from contextlib import ExitStack

import pytest
from flask import Flask

from eventstore.access.tokens import revoke_token
from tasks.shop.wiring import Shop
from tests.support.following import (
    StreamClient,
    append_events,
    json_of,
    serving,
)
from tests.support.slow_clients import (
    get,
    open_socket,
    read_all,
    read_answer,
)
from tests.support.users import token_of, user
from tests.support.waiting import wait_until
from webapp.feed import follower as feed
from webapp.feed import subscribers, tally
from webapp.feed.follower import Follower
from webapp.feed.tally import STREAM, WAITING
from webapp.serving import connection as serving_connection

THREADS = 2


def test_as_many_streams_are_open_as_may_be_and_no_more(
    port: int, follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tally, "LIMITS", (2, 0))
    with StreamClient(port) as first, StreamClient(port):
        with open_socket(port) as client:
            client.sendall(get("/api/events/stream", "Connection: close"))
            refused = read_all(client)
        assert refused.startswith(b"HTTP/1.1 503")
        assert b"Retry-After:" in refused
        assert json_of(refused)["type"] == "/problems/too-many-streams"
        first.close()
        wait_until(lambda: follower.tally.count(STREAM) == 1, "one has left")
        with StreamClient(port) as third:
            assert third.status == 200
    # A head is an answer that has an end.
    with open_socket(port) as client:
        client.sendall(get("/api/events/stream").replace(b"GET", b"HEAD", 1))
        assert read_all(client).startswith(b"HTTP/1.1 200")
    wait_until(lambda: follower.tally.count(STREAM) == 0, "all have left")
    wait_until(lambda: follower.thread is None, "nobody reads for nobody")


def test_who_takes_nothing_is_sent_away_and_not_kept_for(
    port: int,
    shop: Shop,
    app: Flask,
    follower: Follower,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(serving_connection, "SECONDS_TO_TAKE", 1.5)
    data = json.dumps({"reason": "x" * 8_000})
    with shop.lent() as connection:
        append_events(connection, 1_000, kind="OrderCancelled", data=data)
    lazy = StreamClient(port)
    lazy.open(receive_buffer=4096)
    kept = 0

    def is_gone() -> bool:
        nonlocal kept
        for one in list(follower.subscribers):
            kept = max(kept, getattr(one.answer, "unsent", 0))
        return not follower.subscribers

    wait_until(is_gone, "it is sent away")
    assert 0 < kept < subscribers.MAX_UNSENT_BYTES + 2 * feed.BATCH_BYTES
    lazy.close()


def test_who_goes_or_talks_is_forgotten(port: int, follower: Follower) -> None:
    def half_close(client: socket.socket) -> None:
        client.shutdown(socket.SHUT_WR)

    def reset(client: socket.socket) -> None:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()

    def talk(client: socket.socket) -> None:
        client.sendall(b"x" * 10_000)

    for leave in (half_close, reset, talk):
        with StreamClient(port) as stream:
            assert stream.client is not None
            leave(stream.client)
            wait_until(lambda: not follower.subscribers, leave.__name__, seconds=20)
    assert follower.tally.count(STREAM) == 0


def test_a_token_that_was_revoked_ends_its_streams(
    port: int, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert feed.SECONDS_BETWEEN_CHECKS < 60
    monkeypatch.setattr(feed, "SECONDS_BETWEEN_CHECKS", 0.2)
    user(shop, "audrey", "auditor")
    tokens = [token_of(shop, "audrey", ["events.read"]) for _ in range(2)]
    with ExitStack() as stack:
        revoked, other = [
            stack.enter_context(
                StreamClient(
                    port, "/api/events/stream", {"Authorization": f"Bearer {token}"}
                )
            )
            for token in tokens
        ]
        with shop.lent() as connection:
            revoke_token(connection, tokens[0].split("_")[1])
            wait_until(lambda: not revoked.receive(1) or revoked.has_ended, "it ends")
            append_events(connection, 1)
        other.receive_until(1)
        assert revoked.events == []
        revoked.open()
        assert revoked.status == 401


def test_a_log_that_was_restored_ends_the_streams_and_says_why(
    port: int, shop: Shop
) -> None:
    with StreamClient(port) as client, shop.lent() as connection:
        append_events(connection, 3)
        client.receive_until(3)
        connection.execute("ALTER TABLE events DISABLE TRIGGER ALL")
        connection.execute(
            "UPDATE events SET metadata = jsonb_set(metadata, '{event_id}', to_jsonb("
            "gen_random_uuid()::text)) WHERE id = 3"
        )
        append_events(connection, 1, first=4)
        wait_until(lambda: not client.receive(1) or client.has_ended, "it ends")
    assert len(client.events) == 3
    with open_socket(port) as again:
        cursor = f"Last-Event-ID: {client.last_id}"
        again.sendall(get("/api/events/stream", cursor, "Connection: close"))
        found = read_all(again)
    assert found.startswith(b"HTTP/1.1 410")
    assert json_of(found)["type"] == "/problems/other-log"


def test_a_server_that_ends_ends_the_streams_as_they_are_meant_to_end(
    app: Flask, shop: Shop
) -> None:
    with ExitStack() as stack:
        with serving(app) as port:
            clients = [stack.enter_context(StreamClient(port)) for _ in range(3)]
            waiting = stack.enter_context(open_socket(port))
            waiting.sendall(get("/api/events", "Prefer: wait=25"))
            follower: Follower = app.extensions["follower"]
            wait_until(lambda: follower.tally.count(WAITING) == 1, "it waits")
        # The last chunk has come, and not the end of the connection alone.
        for client in clients:
            while not client.has_ended:
                assert client.receive(), "the end is a chunk of its own"
        answer = read_answer(waiting)
    assert answer.startswith(b"HTTP/1.1 200")
    assert json_of(answer)["events"] == []


def test_the_count_of_a_process_that_was_killed_does_not_count(
    follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    if (child := os.fork()) == 0:
        follower.tally.take(STREAM)
        os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    assert follower.tally.count(STREAM) == 0
    monkeypatch.setattr(tally, "LIMITS", (2, 2))
    assert [follower.tally.take(STREAM) for _ in range(3)] == [True, True, False]
    assert follower.tally.take(WAITING)
    follower.tally.give_back(STREAM)
    assert follower.tally.take(STREAM)
