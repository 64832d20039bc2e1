"""The client of search servers: what it takes for an answer, and what for none."""

import base64
import os
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from eventstore.errors.stores import StoreAway
from eventstore.projections.changes import RowChange
from readmodels.stores.search.bulk import PAUSES, Bulk
from readmodels.stores.search.client import SearchClient
from tests.support.search_stub import Request, Stub, running
from tests.support.tls import make_certificate

SECRET = "Secret Name"


@pytest.fixture
def stubs() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def ask(url: str, seconds: float = 5.0) -> Any:
    client = SearchClient(url)
    try:
        return client.ask("GET", "/", seconds=seconds)
    finally:
        client.close()


def always(status: int, body: Any) -> Stub:
    return Stub(lambda _: (status, body))


def test_the_login_in_the_url_is_sent(stubs: ExitStack) -> None:
    stub = stubs.enter_context(running(always(200, {})))
    ask(stub.url.replace("//", "//shop:p%40ss@"))

    sent = {name.lower(): value for name, value in stub.requests[0].headers.items()}
    assert sent["authorization"] == "Basic " + base64.b64encode(b"shop:p@ss").decode()


def test_an_unknown_certificate_is_refused(stubs: ExitStack, tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path)
    stub = always(200, {})
    stub.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    stub.context.load_cert_chain(certificate, key)
    stubs.enter_context(running(stub))

    with pytest.raises(StoreAway, match="certificate"):
        ask(stub.url)
    assert ask(f"{stub.url}?ca_certs={certificate}").status == 200


def test_what_is_said_of_an_error_has_no_value_of_a_row(stubs: ExitStack) -> None:
    error = {"type": "mapper_parsing_exception", "reason": f"cannot parse {SECRET}"}
    for status, body in [
        (400, {"error": error, "status": 400}),
        (500, {"error": {**error, "type": SECRET}}),
        (502, f"<html>{SECRET}</html>".encode()),
        (503, {"error": SECRET}),
    ]:
        stub = stubs.enter_context(running(always(status, body)))
        with pytest.raises(StoreAway) as raised:
            ask(stub.url)
        assert str(status) in str(raised.value)
        assert SECRET not in str(raised.value)


def test_a_page_of_a_proxy_is_no_answer(stubs: ExitStack) -> None:
    stub = always(502, b"<html>Bad gateway</html>")
    stub.content_type = "text/html; charset=utf-8"
    stubs.enter_context(running(stub))
    with pytest.raises(StoreAway, match="502"):
        ask(stub.url)


def test_a_refused_login_is_said(stubs: ExitStack) -> None:
    stub = stubs.enter_context(running(always(401, {"error": {"type": "security"}})))
    with pytest.raises(StoreAway, match="refuses the login"):
        ask(stub.url)


def test_no_answer_comes_within_the_time(stubs: ExitStack) -> None:
    is_over = threading.Event()
    stub = Stub(lambda _: (is_over.wait(20), (200, {}))[1])
    stubs.enter_context(running(stub))
    stubs.callback(is_over.set)
    begun = time.monotonic()
    with pytest.raises(StoreAway, match="in time"):
        ask(stub.url, seconds=0.15)
    # It is not tried again.
    assert time.monotonic() - begun < 2
    assert len(stub.requests) == 1

    with pytest.raises(StoreAway, match="no connection"):
        ask("http://127.0.0.1:1")


def test_a_process_that_was_forked_opens_connections_of_its_own(
    stubs: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub = stubs.enter_context(running(always(200, {})))
    client = SearchClient(stub.url)
    mine = client.transport()
    assert client.transport() is mine

    pid = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: pid + 1)
    other = client.transport()
    assert other is not mine
    mine.close()
    other.close()


def items(*outcomes: int | tuple[int, str]) -> dict[str, Any]:
    """A body of the answer to a bulk: statuses, some with the type of an error."""
    shown: list[Any] = []
    for outcome in outcomes:
        status, kind = outcome if isinstance(outcome, tuple) else (outcome, "")
        error = {"error": {"type": kind, "reason": SECRET}} if kind else {}
        shown.append({"index": {"status": status, **error}})
    return {"errors": True, "items": shown}


BUSY = (429, "es_rejected_execution_exception")
FULL = (429, "cluster_block_exception")


def write(stub: Stub, count: int = 2) -> Any:
    client = SearchClient(stub.url)
    writer = Bulk(client, "copy", "alias", frozenset({"change", "gone"}))
    changes = [RowChange(n, 1, 1, None) for n in range(count)]
    try:
        return writer.write((change, {"change": 1}) for change in changes)
    finally:
        client.close()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds for which it would have waited."""
    waited: list[float] = []
    monkeypatch.setattr("readmodels.stores.search.bulk.wait", waited.append)
    return waited


def test_what_a_busy_server_sends_back_is_sent_again(
    stubs: ExitStack, pauses: list[float]
) -> None:
    answers = iter(
        [
            (200, items(201, BUSY)),
            (429, {"error": {"type": BUSY[1]}}),
            (503, {"error": {"type": "unavailable"}}),
            (200, items(201)),
        ]
    )
    stub = stubs.enter_context(running(Stub(lambda _: next(answers))))

    assert write(stub) == []
    assert [lines_in(request) for request in stub.requests] == [4, 2, 2, 2]
    assert pauses == list(PAUSES[:3])


def lines_in(request: Request) -> int:
    return request.body.count(b"\n")


def test_a_server_that_stays_busy_is_away(
    stubs: ExitStack, pauses: list[float]
) -> None:
    stub = stubs.enter_context(running(always(200, items(BUSY, BUSY))))
    with pytest.raises(StoreAway, match="es_rejected_execution_exception"):
        write(stub)
    assert pauses == list(PAUSES)


def test_a_full_server_is_away_at_once(stubs: ExitStack, pauses: list[float]) -> None:
    for answer in [
        (200, items(201, FULL)),
        (429, {"error": {"type": FULL[1]}}),
        (403, {"error": {"type": FULL[1]}}),
    ]:
        stub = stubs.enter_context(running(always(*answer)))
        with pytest.raises(StoreAway, match="disk may be full"):
            write(stub)
        assert len(stub.requests) == 1
    assert pauses == []


def test_an_answer_without_an_item_for_each_row_is_no_success(
    stubs: ExitStack, pauses: list[float]
) -> None:
    stub = stubs.enter_context(running(always(200, items(201))))
    with pytest.raises(StoreAway, match="unknown form"):
        write(stub)
    stub = stubs.enter_context(running(always(200, items(201, 500))))
    with pytest.raises(StoreAway, match="500"):
        write(stub)
