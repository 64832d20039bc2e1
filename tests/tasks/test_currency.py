"""A shop has one currency: with another one nothing begins its work."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cli import commands
from cli.doctor import doctor
from domain.accounts.commands import OpenAccount
from tasks.shop import wiring
from tasks.shop.startup_checks import refuse_what_loses_data
from tasks.shop.wiring import Shop
from tests.support.databases import MASTER_KEY, ROOT
from tests.support.desk import Do, add_clock, alice, place
from tests.support.money import Bank

TOLD = (
    "recount: CURRENCY is USD, and the amounts in the log are in EUR; set CURRENCY to"
    " EUR, or take a new database. recount doctor tells more\n"
)
open_account = OpenAccount(account_id="till", currency="EUR")


def in_dollars(shop: Shop) -> Shop:
    other = replace(shop, settings=replace(shop.settings, currency="USD"))
    vars(other)["engine"] = shop.engine
    return other


@pytest.mark.parametrize("first", [place, open_account, add_clock])
def test_after_the_first_order_account_or_product_another_is_refused(
    shop: Shop, do: Do, first: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    do(alice, first)
    with pytest.raises(SystemExit) as ended:
        refuse_what_loses_data(in_dollars(shop))

    assert (ended.value.code, capsys.readouterr().err) == (78, TOLD)


def test_money_that_was_sent_to_a_mistyped_account_does_not_hide_it(shop: Shop) -> None:
    """Its stream is the first of the accounts, and names no currency."""
    bank = Bank(shop)
    bank.do(OpenAccount(account_id="ALICE", currency="EUR"))
    bank.do(bank.asked(1, to="AAA"))

    with pytest.raises(SystemExit):
        refuse_what_loses_data(in_dollars(shop))


def test_before_any_amount_the_currency_is_free(shop: Shop, do: Do) -> None:
    do(alice)

    refuse_what_loses_data(in_dollars(shop))


def test_in_its_own_currency_all_begins(shop: Shop, do: Do) -> None:
    do(alice, place, open_account)

    refuse_what_loses_data(shop)


def test_a_process_ends_as_service_managers_expect(shop: Shop, do: Do) -> None:
    do(open_account)
    ended = subprocess.run(
        [sys.executable, "-m", "tasks.relay"],
        cwd=ROOT,
        env={
            **os.environ,
            "DATABASE_URL": shop.settings.database_url,
            "REDIS_URL": shop.settings.broker_url,
            "SECRET_KEY": shop.settings.secret_key,
            "MASTER_KEY": MASTER_KEY,
            "CURRENCY": "USD",
        },
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (ended.returncode, ended.stderr) == (78, TOLD)


def test_operators_are_told_and_refused_too(shop: Shop, do: Do, tmp_path: Path) -> None:
    do(open_account)
    wiring.use(in_dollars(shop))
    lines = tmp_path / "commands.jsonl"
    lines.touch()

    submitted = CliRunner().invoke(commands, ["submit", str(lines)])
    asked = CliRunner().invoke(doctor)
    assert submitted.exit_code == asked.exit_code == 78
    assert "currency: LOSES DATA: CURRENCY is USD" in asked.output
