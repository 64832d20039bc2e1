"""Other services follow the log through whatever happens to the web."""

import os
import select
import signal
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.support.following import (
    StreamClient,
    append_events,
    follow_by_pages,
    ids_in_log,
)
from tests.support.processes import Processes
from tests.support.slow_clients import status_of
from tests.support.waiting import wait_until

pytestmark = pytest.mark.races


@pytest.fixture
def log(database: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(
        database.replace("+psycopg", ""), autocommit=True
    ) as connection:
        yield connection


@contextmanager
def writers(database: str, count: int = 2) -> Iterator[None]:
    """Have events appended all the time, with others that are rolled back."""
    is_over = threading.Event()

    def write(seed: int) -> None:
        number = 0
        with psycopg.connect(
            database.replace("+psycopg", ""), autocommit=True
        ) as connection:
            while not is_over.is_set():
                number += 1
                connection.execute("BEGIN")
                append_events(connection, 3, first=seed * 10**9 + number * 10)
                connection.execute("ROLLBACK" if number % 4 == 0 else "COMMIT")
                is_over.wait(0.01)

    threads = [threading.Thread(target=write, args=(n + 1,)) for n in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        is_over.set()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize(
    "count", [4_000, pytest.param(100_000, marks=pytest.mark.long)]
)
def test_who_was_away_for_many_events_misses_none_and_gets_none_twice(
    processes: Processes, database: str, log: psycopg.Connection[Any], count: int
) -> None:
    port = urlsplit(processes.web(WEB_PROCESSES="2")).port or 0
    client = StreamClient(port)
    with client:
        append_events(log, 10)
        client.receive_until(10)
    append_events(log, count, first=11)
    goes_on = threading.Event()
    goes_on.set()
    paged: list[str] = []

    def follow() -> None:
        paged.extend(follow_by_pages(port, goes_on.is_set, limit=1_000))

    by_pages = threading.Thread(target=follow)
    with writers(database):
        began = time.monotonic()
        by_pages.start()
        with client:
            client.receive_until(10 + count)
        print(f"a stream of {count:,} in {time.monotonic() - began:.1f} s")
    goes_on.clear()
    by_pages.join()
    print(f"beside pages of it in {time.monotonic() - began:.1f} s")
    with client:
        wanted = ids_in_log(log)
        client.receive_until(len(wanted))
    assert client.ids == wanted
    assert paged == wanted


def test_streams_go_on_through_kill_9_of_the_web(
    processes: Processes, database: str, log: psycopg.Connection[Any]
) -> None:
    port = urlsplit(processes.web(WEB_PROCESSES="2")).port or 0
    web = processes.all[-1]
    clients = [StreamClient(port) for _ in range(6)]
    is_over = threading.Event()

    def follow(client: StreamClient) -> None:
        while not is_over.is_set():
            try:
                client.open()
            except (OSError, ValueError):
                time.sleep(0.05)
                continue
            while client.receive(1) or client.client is not None:
                if is_over.is_set() and len(client.events) >= len(ids_in_log(log)):
                    return

    threads = [threading.Thread(target=follow, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    with writers(database):
        for _ in range(2):
            wait_until_all_move(clients)
            assert web.running is not None
            os.kill(child_of(web.running.pid), signal.SIGKILL)
        wait_until_all_move(clients)
        web.kill()
        web.start()
        wait_until_all_move(clients)
    wanted = ids_in_log(log)
    wait_until(
        lambda: all(len(c.events) >= len(wanted) for c in clients), "all have all"
    )
    is_over.set()
    for thread in threads:
        thread.join(20)
    for client in clients:
        client.close()
        assert client.ids == wanted


def wait_until_all_move(clients: list[StreamClient]) -> None:
    """Wait until each has had more than ten events since now."""
    before = [len(client.events) for client in clients]

    def have_moved() -> bool:
        pairs = zip(clients, before, strict=True)
        return all(len(client.events) > count + 10 for client, count in pairs)

    wait_until(have_moved, "all follow")


def child_of(process: int) -> int:
    """Return one of the processes that gunicorn has forked."""
    path = Path(f"/proc/{process}/task/{process}/children")
    wait_until(lambda: len(path.read_text().split()) > 1, "two children")
    return int(path.read_text().split()[0])


@pytest.mark.long
def test_64_open_streams_do_not_slow_the_pages(
    processes: Processes, log: psycopg.Connection[Any]
) -> None:
    port = urlsplit(processes.web(WEB_PROCESSES="2")).port or 0
    append_events(log, 1_000)
    is_over = threading.Event()

    def write() -> None:
        number = 10_000
        while not is_over.wait(0.1):
            append_events(log, 1, first=number)
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    times(port, 50)
    alone, beside = [], []
    for _ in range(3):
        alone += times(port, 200)
        with reading_streams(port, 64):
            beside += times(port, 200)
    is_over.set()
    writer.join()
    print(f"{told(alone)} alone, {told(beside)} beside 64 streams")
    assert statistics.median(beside) < 2 * statistics.median(alone)


@contextmanager
def reading_streams(port: int, count: int) -> Iterator[None]:
    """Have streams open that another process reads, so that this one only measures."""
    clients = [StreamClient(port, "/api/events/stream?after=end") for _ in range(count)]
    with ExitStack() as stack:
        sockets = [stack.enter_context(client).client for client in clients]
        if (reader := os.fork()) == 0:
            read_for_ever([found for found in sockets if found is not None])
        try:
            yield
        finally:
            os.kill(reader, signal.SIGKILL)
            _, status = os.waitpid(reader, 0)
        assert os.WTERMSIG(status) == signal.SIGKILL, "all were open to the end"


def read_for_ever(sockets: list[socket.socket]) -> None:
    while True:
        readable, _, _ = select.select(sockets, [], [])
        for one in readable:
            if not one.recv(1 << 16):
                os._exit(1)


def times(port: int, count: int) -> list[float]:
    """Return how long a page takes, asked for again and again, in milliseconds."""
    took = []
    for _ in range(count):
        began = time.perf_counter()
        assert status_of(port, "/orders") == 200
        took.append((time.perf_counter() - began) * 1_000)
    return took


def told(took: list[float]) -> str:
    of_100 = statistics.quantiles(took, n=100)
    return f"p50 {of_100[49]:.1f} ms, p99 {of_100[98]:.1f} ms"
