"""Runs of the audit: they go on, rest, and are alone."""

from dataclasses import replace

import pytest
from click.testing import CliRunner

from cli import cli
from eventstore.explaining.audit import Audit
from eventstore.explaining.audit_records import (
    OF_LOG,
    load_walks,
    lone_audit,
)
from readmodels import ALL
from tasks import audit
from tasks.shop.wiring import Shop
from tests.support.auditing import known, look, run_sql
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


def test_what_takes_too_long_for_a_worker_is_named(
    shop: Shop, do: Do, monkeypatch: pytest.MonkeyPatch
) -> None:
    do(alice, place)
    monkeypatch.setattr(audit, "MAX_SECONDS", 0)
    audit.run(shop)

    unfolded = "figures and ordered_products not compared: recount audit does it"
    assert unfolded in line_of_status()
    CliRunner().invoke(cli, ["audit"])
    assert "not compared" not in line_of_status()


def line_of_status() -> str:
    told = CliRunner().invoke(cli, ["status"]).stdout
    return next(line for line in told.splitlines() if line.startswith("audit: "))


def test_known_wrong_rows_that_cannot_be_looked_at_hold_up_no_others(
    shop: Shop, do: Do, monkeypatch: pytest.MonkeyPatch
) -> None:
    do(alice, *[place] * 4)
    run_sql(shop, "UPDATE readmodels.order_details_g1 SET total = total + 1")
    look(shop)
    assert len(known(shop)) == 4
    # Three of them cannot be read from now on; the fourth is right again.
    run_sql(
        shop,
        "UPDATE readmodels.order_details_g1 SET lines = '[7]' WHERE order_id < 4",
        "UPDATE readmodels.order_details_g1 SET total = total - 1 WHERE order_id = 4",
    )
    monkeypatch.setattr("eventstore.explaining.audit.MAX_SEEN_AGAIN", 1)

    for _ in range(100):
        look(shop, rows=0)
        if len(known(shop)) < 4:
            break

    assert [key for _, key in known(shop)] == ["1", "2", "3"]


def test_known_wrong_rows_of_other_generations_take_no_place(
    shop: Shop, do: Do, monkeypatch: pytest.MonkeyPatch
) -> None:
    do(alice, place)
    run_sql(shop, "UPDATE readmodels.order_list_g1 SET total = total + 1")
    look(shop)
    run_sql(
        shop,
        "UPDATE readmodels.order_list_g1 SET total = total - 1",
        "INSERT INTO wrong_rows"
        " (read_model, place, key, generation, kind, columns, streams, seen_at)"
        " VALUES ('gone', 'table', '1', 1, 'changed', '{}', '{}', '2001-01-01')",
    )
    monkeypatch.setattr("eventstore.explaining.audit.MAX_SEEN_AGAIN", 1)

    look(shop, rows=0)

    assert ("order_list", "1") not in known(shop)


def test_of_what_is_folded_as_a_whole_the_log_is_not_walked(shop: Shop, do: Do) -> None:
    do(alice, place)
    [figures] = [one for one in ALL if one.name == "figures"]
    with shop.lent() as connection:
        auditing = Audit(connection, [figures], shop.deciders.masters)
        report = auditing.run(folds=True)
        walks = load_walks(connection)

    assert report.rows == 1
    assert OF_LOG not in walks or not walks[OF_LOG].rounds
