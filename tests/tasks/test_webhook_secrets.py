"""The secrets of webhooks: rotated, wrapped again, and never shown."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from eventstore.encryption.keys import MasterKeys
from tasks.shop.wiring import Shop
from tasks.webhooks.registry import (
    resume_webhook,
)
from tasks.webhooks.signing import sign
from tasks.webhooks.stored_secrets import rewrap_secrets, rotate_secret
from tests.support.following import append_events
from tests.support.receivers import (
    Receiver,
    Request,
    add,
    has_stopped,
    receiving,
    sending,
    standing_of,
)
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("hurried")


def expects_signature(secret: bytes, request: Request) -> str:
    timestamp = int(request.headers["webhook-timestamp"])
    signed = sign([secret], request.id, timestamp, request.body)
    return signed["webhook-signature"]


def signatures(request: Request) -> list[str]:
    return request.headers["webhook-signature"].split(" ")


def test_for_a_day_both_secrets_sign(shop: Shop) -> None:
    with receiving(1) as (receiver,), shop.lent() as log:
        former = add(shop, "crm", receiver.url)
        with sending(shop) as sender:
            append_events(log, 1)
            wait_until(lambda: receiver.ids, "the first comes")
            current = rotate_secret(log, "crm", shop.settings.master_keys)
            assert current is not None
            wait_until(lambda: len(sender.channels["crm"].secrets) == 2, "noticed")
            append_events(log, 1, first=2)
            wait_until(lambda: len(receiver.ids) == 2, "the second comes")
            log.execute(
                "UPDATE webhook_secrets SET valid_until = valid_until - %s",
                (timedelta(days=1),),
            )
            wait_until(lambda: len(sender.channels["crm"].secrets) == 1, "noticed")
            append_events(log, 1, first=3)
            wait_until(lambda: len(receiver.ids) == 3, "the third comes")
    first, second, third = receiver.requests

    assert signatures(first) == [expects_signature(former, first)]
    assert signatures(second) == [
        expects_signature(current, second),
        expects_signature(former, second),
    ]
    assert signatures(third) == [expects_signature(current, third)]


def test_a_second_rotation_leaves_two_secrets(shop: Shop) -> None:
    with shop.lent() as log:
        add(shop, "crm", "https://example.com/")
        for _ in range(3):
            assert rotate_secret(log, "crm", shop.settings.master_keys)
        ((count,),) = log.execute("SELECT count(*) FROM webhook_secrets").fetchall()
        assert rotate_secret(log, "nobody", shop.settings.master_keys) is None

    assert count == 2


def test_secrets_are_wrapped_again_with_a_new_master_key(shop: Shop) -> None:
    masters = shop.settings.master_keys
    new = MasterKeys(uuid4().bytes + uuid4().bytes, (masters.current,))
    with receiving(1) as (receiver,), shop.lent() as log:
        secret = add(shop, "crm", receiver.url)
        assert rewrap_secrets(log, new) == 1
        assert rewrap_secrets(log, new) == 0
        append_events(log, 1)
        with sending(shop):
            wait_until(lambda: has_stopped(shop), "the former key alone opens nothing")
        because = standing_of(shop).stopped_because or ""
        settings = replace(shop.settings, master_keys=MasterKeys(new.current))
        resume_webhook(log, "crm")
        with sending(replace(shop, settings=settings)):
            wait_until(lambda: receiver.ids, "the new one does")
    (request,) = receiver.requests

    assert "its secret cannot be read" in because
    assert signatures(request) == [expects_signature(secret, request)]


def test_secrets_are_not_stored_in_the_clear(shop: Shop) -> None:
    with shop.lent() as log:
        secret = add(shop, "crm", "https://example.com/")
        ((wrapped,),) = log.execute("SELECT wrapped FROM webhook_secrets").fetchall()

    assert secret not in wrapped


def test_no_log_line_has_what_is_secret(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    def respond(request: Request) -> Any:
        return 500, {"X-Echo": request.headers["webhook-signature"]}

    with Receiver(respond).serving() as receiver, shop.lent() as log:
        add(shop, "crm", f"{receiver.url}?token=hunter2", is_personal=True)
        append_events(log, 1)
        with sending(shop):
            wait_until(lambda: standing_of(shop).failing, "it fails")

    failed = [record.getMessage() for record in caplog.records]
    assert any("webhook failed" in line for line in failed)
    assert not any("hunter2" in line or "v1," in line for line in failed)
