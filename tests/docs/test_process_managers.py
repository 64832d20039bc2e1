"""The process manager of the docs, at work in a shop."""

import re
from typing import Any

import pytest

from domain.accounts.commands import OpenAccount
from readmodels import accounts
from tasks.shop.wiring import Shop
from tests.support.databases import ROOT
from tests.support.desk import alice, place
from tests.support.money import Bank
from tests.support.order_events import placed

PAGE = ROOT / "docs" / "process-managers.md"
CODE, TEST = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


@pytest.fixture
def page() -> dict[str, Any]:
    """What the code of the page defines."""
    names: dict[str, Any] = {"OpenAccount": OpenAccount}
    exec(CODE + TEST, names)
    return names


def test_the_process_manager_of_the_page_opens_accounts(
    shop: Shop, page: dict[str, Any]
) -> None:
    shop.process_managers = [*shop.process_managers, page["ACCOUNTS_FOR_ALL"]]
    shop.deploy_process_managers()
    bank = Bank(shop)
    bank.do(alice)
    bank.do(place)
    bank.do(place)

    (account,) = bank.ask(accounts.find).rows
    assert (account.account_id, account.balance) == ("ALICE", 0)
    with shop.lent() as connection:
        rows = connection.execute(
            "SELECT status, error ->> 'rule' FROM commands"
            " WHERE type = 'OpenAccount' ORDER BY seq"
        ).fetchall()
    assert rows == [("succeeded", None), ("rejected", "AccountAlreadyOpen")]


def test_the_test_of_the_page_passes(page: dict[str, Any]) -> None:
    page["placed"] = placed

    page["test_whoever_orders_gets_an_account"]()


def test_the_page_is_a_few_lines() -> None:
    assert len([line for line in CODE.splitlines() if line.strip()]) < 25
