"""The page about webhooks: its example, its verification, and its figures."""

import json
import re
import time
from typing import Any

import pytest

from tasks.shop.wiring import Shop
from tasks.webhooks import attempts, channel, posting, sender, stored_secrets
from tasks.webhooks.posting import OUTCOMES
from tasks.webhooks.signing import format_secret
from tests.support.databases import ROOT
from tests.support.desk import Do, alice, pay, place
from tests.support.receivers import Request, add, hurry, receiving, sending
from tests.support.waiting import wait_until

PAGE = (ROOT / "docs" / "webhooks.md").read_text()


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture
def sent(
    shop: Shop, do: Do, monkeypatch: pytest.MonkeyPatch
) -> tuple[bytes, list[Request]]:
    """A secret, and the requests that were signed with it."""
    hurry(monkeypatch)
    do(alice, place, pay)
    with receiving(1) as (receiver,):
        secret = add(shop, "crm", receiver.url)
        with sending(shop):
            wait_until(lambda: len(receiver.ids) == 3, "they come")
    return secret, receiver.requests


def test_the_example_has_the_fields_of_a_request(
    sent: tuple[bytes, list[Request]],
) -> None:
    _, requests = sent
    (request,) = (r for r in requests if r.event["type"] == "PaymentReceived")
    example, head = json.loads(block("json")), block("http")

    assert list(example) == list(request.event)
    for name in (
        "position",
        "stream",
        "version",
        "schema",
        "actor",
        "personal",
        "data",
    ):
        assert example[name] == request.event[name], name
    assert f"webhook-id: {example['event_id']}" in head
    for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        assert name in head
        assert name in request.headers
    assert f"User-Agent: {request.headers['user-agent']}" in head


def test_the_verification_takes_what_was_sent_and_nothing_else(
    sent: tuple[bytes, list[Request]], monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, (request, *_) = sent[0], sent[1]
    code: dict[str, Any] = {}
    exec(block("python"), code)
    verify, headers = code["verify"], dict(request.headers)
    verify(format_secret(secret), headers, request.body)
    both = f"v1,AAAA {headers['webhook-signature']}"
    verify(format_secret(secret), {**headers, "webhook-signature": both}, request.body)

    for key, changed, body in (
        (bytes(32), {}, request.body),
        (secret, {}, request.body + b" "),
        (secret, {"webhook-id": "other"}, request.body),
        (secret, {"webhook-signature": "v1,AAAA"}, request.body),
    ):
        with pytest.raises(ValueError, match="not signed"):
            verify(format_secret(key), {**headers, **changed}, body)
    later = time.time() + code["MAX_AGE"] + 1
    monkeypatch.setattr(time, "time", lambda: later)
    with pytest.raises(ValueError, match="too old"):
        verify(format_secret(secret), headers, request.body)


def test_the_page_says_the_limits_as_they_are() -> None:
    assert f"after {posting.SECONDS_TO_ANSWER:.0f} seconds" in PAGE
    assert f"no connection after {posting.SECONDS_TO_CONNECT:.0f}" in PAGE
    assert channel.MAX_OPEN_STREAMS == 8
    assert "at most eight" in PAGE
    assert (attempts.FIRST_PAUSE, attempts.MAX_PAUSE) == (1, 300)
    assert "up to five minutes" in PAGE
    assert attempts.MAX_SECONDS == 3_600
    assert stored_secrets.OVERLAP.days == 1
    assert sender.SECONDS_BETWEEN_LOOKS == 0.25
    assert sender.SECONDS_WITHOUT_WEBHOOKS == 10


def test_the_page_says_what_each_failure_means() -> None:
    failures = {outcome for outcome in OUTCOMES if outcome != "delivered"}

    assert {one for one in failures if f"| `{one}`" not in PAGE} == set()
