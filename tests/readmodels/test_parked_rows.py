"""What was parked and then retried, beside what a rebuild makes."""

import os
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from domain.accounts.commands import CloseAccount, OpenAccount
from domain.customers import commands as customers
from eventstore.projections.parked_streams import find_parked
from eventstore.rebuilding.rebuild import rebuild
from eventstore.rebuilding.retrying import retry_parked
from readmodels import ALL
from tasks.shop.wiring import Shop
from tests.support.desk import CLOCK, LAMP, Do, place, ship
from tests.support.failing_folds import contents, failing
from tests.support.order_commands import OrderCommands

NAMED = [one for one in ALL if one.streams]


def history(chance: random.Random) -> Sequence[Any]:
    """Return commands of a few customers and orders, in any order; some are refused."""
    asked: list[Any] = []
    buyers: list[str] = []
    make = OrderCommands(random=chance)
    for name in ("C0", "C1", "C2", "C3"):
        asked.append(customers.RegisterCustomer(customer_id=name, name=name))
    for _ in range(70):
        name = f"C{chance.randrange(5)}"
        match chance.randrange(10):
            case 0:
                asked.append(customers.RegisterCustomer(customer_id=name, name=name))
            case 1 | 2:
                asked.append(
                    customers.ChangeCustomerDetails(
                        customer_id=name, name=f"{name} {chance.randrange(99)}"
                    )
                )
            case 3 | 4 | 5:
                buyers.append(name)
                asked.append(replace(place, customer_id=name, items=(CLOCK, LAMP)))
            case _ if buyers:
                order = chance.randrange(len(buyers))
                asked.append(make.next(order + 1, buyers[order]))
    asked.append(customers.ForgetCustomer(customer_id="C1"))
    asked += [OpenAccount(account_id="TILL", currency="EUR")]
    asked += [CloseAccount(account_id="TILL")]
    return asked


def mended(shop: Shop) -> dict[str, dict[str, list[Any]]]:
    """Retry what is parked, with the code as it is; return all rows."""
    with shop.lent() as connection:
        for projection in NAMED:
            retry_parked(connection, projection, masters=shop.deciders.masters)
            assert find_parked(connection, projection.name) == []
        return {one.name: contents(connection, one, 1) for one in NAMED}


def rebuilt(shop: Shop) -> dict[str, dict[str, list[Any]]]:
    found = {}
    with shop.lent() as connection:
        for one in NAMED:
            done = rebuild(connection, one, masters=shop.deciders.masters)
            found[one.name] = contents(connection, one, done.generation)
    return found


def with_failing(shop: Shop, positions: Sequence[int]) -> None:
    shop.projections = [failing(one, positions) for one in ALL]


SEEDS = int(os.environ.get("SEEDS", "4"))


@pytest.mark.parametrize("seed", range(SEEDS))
def test_what_was_parked_and_mended_equals_a_rebuild(
    shop: Shop, do: Do, seed: int
) -> None:
    chance = random.Random(seed)
    asked = list(history(chance))
    # Positions have gaps, so more are named than there will be events.
    bad = [place for place in range(1, 400) if chance.random() < 0.15]
    with_failing(shop, bad)
    for start in range(0, len(asked), 7):
        do(*asked[start : start + 7])
    with shop.lent() as connection:
        assert find_parked(connection)
    # Some were mended before others.
    with_failing(shop, bad[::2])
    with shop.lent() as connection:
        for one in shop.projections:
            if one.streams:
                retry_parked(connection, one, masters=shop.deciders.masters)
    do(*[replace(ship, order_id=order) for order in range(1, 9)])

    shop.projections = ALL

    assert mended(shop) == rebuilt(shop)
