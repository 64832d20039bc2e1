"""How many webhooks there may be."""

import threading

import pytest

from tasks.shop.event_feed import ALL, START
from tasks.shop.wiring import Shop
from tasks.webhooks.registry import WebhookRefused, add_webhook, find_webhooks
from tests.support.receivers import add
from tests.support.waiting import wait_until

URL = "https://example.com/"


def test_two_that_are_added_at_once_are_counted_one_after_the_other(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.webhooks.registry.MAX_WEBHOOKS", 1)
    refused: list[WebhookRefused] = []

    def add_another() -> None:
        try:
            add(shop, "erp", URL)
        except WebhookRefused as error:
            refused.append(error)

    second = threading.Thread(target=add_another)
    with shop.lent() as log, shop.lent() as watcher:
        with log.transaction():
            masters = shop.settings.master_keys
            add_webhook(
                log,
                "crm",
                URL,
                wanted=ALL,
                is_personal=False,
                after=START,
                masters=masters,
            )
            second.start()
            wait_until(
                lambda: (
                    bool(refused)
                    or not second.is_alive()
                    or watcher.execute(
                        "SELECT FROM pg_locks WHERE NOT granted"
                        " AND locktype = 'advisory'"
                    ).rowcount
                ),
                "the other waits, or is through",
            )
        second.join()
        assert [one.name for one in find_webhooks(log)] == ["crm"]

    assert "there may be no more" in str(refused[0])
