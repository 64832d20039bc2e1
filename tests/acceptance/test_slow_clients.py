"""Slow clients do not silence the web, as the Procfile starts it."""

import time
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from benchmarks.serving.ending import Users
from tests.support.processes import Processes
from tests.support.slow_clients import (
    BEGINNINGS,
    KINDS,
    POST,
    get,
    open_socket,
    read_all,
    read_answer,
    slow_clients,
    status_of,
)

pytestmark = pytest.mark.races

BAD_CHUNK = f"{POST}Transfer-Encoding: chunked\r\n\r\nzz\r\n".encode()


def test_slow_clients_of_all_kinds_keep_no_page_from_coming(
    processes: Processes,
) -> None:
    # One process, so that none is there which they have not come to.
    port = urlsplit(processes.web(WEB_PROCESSES="1", WEB_THREADS="4")).port or 0
    with ExitStack() as stack:
        for kind, count in KINDS.items():
            stack.enter_context(slow_clients(port, kind, count))
        began = time.monotonic()
        for path in ("/healthz", "/readyz", "/orders", "/api/orders") * 5:
            assert status_of(port, path) == 200
        print(f"20 requests beside slow ones in {time.monotonic() - began:.1f} s")
        with open_socket(port) as client:
            client.sendall(BAD_CHUNK)
            assert read_all(client).startswith(b"HTTP/1.1 400")


def test_where_threads_read_for_themselves_the_same_clients_silence_the_web(
    processes: Processes,
) -> None:
    address = processes.web("--worker-class", "gthread", WEB_PROCESSES="1")
    port = urlsplit(address).port or 0
    with slow_clients(port, "half a head", 100):
        assert status_of(port, "/healthz", seconds=1) == 0


def test_a_connection_that_lay_idle_is_served_by_the_process_it_went_to(
    processes: Processes,
) -> None:
    port = urlsplit(processes.web(WEB_PROCESSES="2")).port or 0
    # All that come together, so that both processes have some.
    with slow_clients(port, "idle after a request", 30) as clients:
        for client in clients:
            client.sendall(get("/healthz"))
            assert read_answer(client).startswith(b"HTTP/1.1 200")


def test_who_asks_while_the_web_ends_is_answered_or_refused(
    processes: Processes,
) -> None:
    port = urlsplit(processes.web(WEB_PROCESSES="2")).port or 0
    web = processes.all[-1]
    took: list[float] = []

    def end() -> None:
        began = time.monotonic()
        web.stop()
        took.append(time.monotonic() - began)

    users = Users(port, "/api/orders").during(end, seconds=3)
    print(f"{users.answered} answers, {users.again} again; ended in {took[0]:.1f} s")

    assert users.answered > 0
    assert users.failures == []
    # Eight ask without a pause: a listener that is closed with its queue resets more.
    assert users.reset <= 3


@pytest.mark.long
@pytest.mark.parametrize("kind", BEGINNINGS)
def test_a_request_that_is_not_finished_gets_408_within_half_a_minute(
    processes: Processes, kind: str
) -> None:
    port = urlsplit(processes.web()).port or 0
    with slow_clients(port, kind, 1) as [client]:
        client.settimeout(30)
        assert b" 408 " in read_all(client)[:20]
