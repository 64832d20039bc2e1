"""A trial says what its run does, if nothing comes in between, and writes nothing."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from eventstore.claims import Claim
from eventstore.journal.claim_conflicts import ClaimConflicts
from eventstore.journal.preview import CommandPreview, preview_command
from tasks.shop import wiring
from tasks.shop.wiring import Shop
from tests.support.databases import Databases
from tests.support.settings import settings_for
from tests.support.trying import do_it, send, sent_by_chance, try_it
from tests.support.unwritten import contents

ALL = 10_000
USUAL = 60
IN_A_SHOP = 200
"""Later, most people are forgotten, and little is left that can be done."""
LOOKED_AT = 20
"""One trial in so many is looked at for what it may have written."""


@contextmanager
def opened_shop(databases: Databases) -> Iterator[Shop]:
    """A new shop, in which who does not pay within 30 days does not get it."""
    with databases.lend() as url:
        shop = Shop(replace(settings_for(url), unpaid_days=30))
        wiring.use(shop)
        shop.ensure_read_models()
        shop.deploy_process_managers()
        yield shop
        shop.close()


@pytest.mark.parametrize(
    ("seed", "number"),
    [
        pytest.param(0, USUAL, id="some"),
        *(
            pytest.param(seed, IN_A_SHOP, marks=pytest.mark.long, id=f"shop {seed}")
            for seed in range(ALL // IN_A_SHOP)
        ),
    ],
)
def test_a_trial_says_what_its_run_does_and_writes_nothing(
    databases: Databases, monkeypatch: pytest.MonkeyPatch, seed: int, number: int
) -> None:
    monkeypatch.setattr("tasks.broker.publish.send", lambda *_: None)
    with opened_shop(databases) as shop:
        seen = try_and_do(shop, Random(seed), number)

    assert seen.total() == number
    assert {end for _, end in seen} >= {"succeeded", "StaleVersion"}


def try_and_do(shop: Shop, random: Random, number: int) -> Counter[tuple[str, str]]:
    """Try and do *number* commands; return how often each kind had which end."""
    seen: Counter[tuple[str, str]] = Counter()
    for command, version in sent_by_chance(random, 2 * number):
        if seen.total() == number:
            break
        if random.random() < 0.1:
            # Not tried: the read models have not read what it has caused.
            send(shop, command, version)
            continue
        is_looked_at = seen.total() % LOOKED_AT == 0
        with shop.lent() as connection:
            before = contents(connection) if is_looked_at else {}
        tried = try_it(shop, command, version)
        with shop.lent() as connection:
            assert not is_looked_at or contents(connection) == before
        assert tried == do_it(shop, command, version), command
        rule = (tried.error or {}).get("rule", "")
        seen[type(command).__name__, rule or tried.status] += 1
    return seen


# What the comparison finds where a trial leaves something out.


def found(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Return whether a trial differs from its run, in the usual cases."""
    monkeypatch.setattr("tasks.broker.publish.send", lambda *_: None)
    with opened_shop(databases) as shop:
        try:
            try_and_do(shop, Random(0), USUAL)
        except AssertionError:
            return True
    return False


def test_without_the_expected_version_it_would_differ(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    def blind(*asked: Any, **_: Any) -> CommandPreview:
        return preview_command(*asked)

    monkeypatch.setattr("webapp.trying.asking.preview_command", blind)

    assert found(databases, monkeypatch)


def test_without_claims_it_would_differ(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoClaims(ClaimConflicts):
        def find_conflict(self, *_: Any) -> Claim | None:
            return None

    monkeypatch.setattr("eventstore.journal.preview.ClaimConflicts", NoClaims)

    assert found(databases, monkeypatch)


def test_without_what_is_not_read_yet_it_would_differ(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventstore.explaining.row_preview.read_unread", lambda *_: [])

    assert found(databases, monkeypatch)
