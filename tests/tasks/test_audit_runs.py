"""Runs of the audit: they go on, rest, and are alone."""

from dataclasses import replace

import pytest

from eventstore.explaining.audit_records import (
    OF_LOG,
    load_walks,
    lone_audit,
)
from readmodels import ALL
from tasks import audit
from tasks.shop.wiring import Shop
from tests.support.auditing import look
from tests.support.databases import as_role
from tests.support.desk import Do, alice, place


def test_it_goes_on_where_the_last_run_ended(shop: Shop, do: Do) -> None:
    do(alice, *[place] * 12)
    pages = set()
    for _ in range(40):
        look(shop, rows=1)
        with shop.lent() as connection:
            walks = load_walks(connection)
        pages.add(walks["order_details"].walk.done)
        if all(walks[p.name].rounds for p in ALL if p.streams):
            break
    else:
        pytest.fail("a round never ends")
    assert len(pages) > 1


def test_it_rests_so_long_that_it_keeps_within_its_share(shop: Shop, do: Do) -> None:
    do(alice, place)

    first = audit.run(shop)
    with shop.lent() as connection:
        walk = load_walks(connection)[OF_LOG]

    assert first is not None
    assert audit.run(shop) is None
    assert walk.rests_until is not None
    assert walk.looked_at is not None
    rest = (walk.rests_until - walk.looked_at).total_seconds()
    assert first.seconds / (first.seconds + rest) < audit.SHARE * 1.1


def test_the_rights_of_a_worker_suffice(shop: Shop, do: Do) -> None:
    do(alice, place)
    url = as_role(shop.settings.database_url, "worker")
    worker = Shop(replace(shop.settings, database_url=url, role="worker"))

    report = audit.run(worker)
    worker.close()

    assert report is not None
    assert report.rows
    assert report.wrong == []


def test_two_audits_are_not_at_work_at_once(shop: Shop, do: Do) -> None:
    do(alice)
    with shop.lent() as other, lone_audit(other) as is_alone:
        assert is_alone
        assert audit.run(shop) is None
    assert audit.run(shop) is not None


def test_without_the_setting_there_is_none(shop: Shop) -> None:
    silent = Shop(replace(shop.settings, audit_seconds=None))
    assert audit.run(silent) is None
    silent.close()
