"""The commands of `recount` work with an operator's login, and say what they lack."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from cli import cli
from tasks.shop import wiring
from tasks.shop.wiring import Shop
from tests.support.databases import MASTER_KEY, ROOT, as_role
from tests.support.desk import CLOCK, Do, alice, place


@pytest.fixture
def operators_shop(shop: Shop, do: Do) -> Iterator[Shop]:
    """A shop with a history, as an operator sees it."""
    do(alice, replace(place, items=(replace(CLOCK, product_id="17"),)))
    url = as_role(shop.settings.database_url, "operator")
    operators = Shop(replace(shop.settings, database_url=url))
    wiring.use(operators)
    yield operators
    operators.engine.dispose()


def run(line: str) -> Result:
    return CliRunner().invoke(cli, line.split())


@pytest.mark.parametrize(
    "line",
    [
        "status",
        "doctor",
        "verify",
        "claims",
        "commands list",
        "commands list --scheduled",
        "commands prune --older-than 1h --yes",
        "keys rotate",
        "products adopt",
        "log show",
        "log lag",
        "stream show order-1",
        "stream replay order-1",
        "rebuild --all",
        "users add alice --role sales",
        "users list",
        "tokens list",
        "webhooks add crm https://93.184.216.34/",
        "webhooks list",
        "stores list",
        "why order_list 1 status",
        "audit",
        "audit --all",
    ],
)
def test_an_operator_may(operators_shop: Shop, line: str) -> None:
    result = run(line)

    assert (result.exit_code, result.exception) == (0, None), result.output


def test_an_operator_may_decide_about_what_failed(
    shop: Shop, operators_shop: Shop
) -> None:
    with shop.autocommitting.connect() as connection:
        command_id = connection.scalar(
            sa.text(
                "UPDATE commands SET status = 'failed'"
                " WHERE type = 'PlaceOrder' RETURNING id"
            )
        )
    because = "--as olga --because corrected"
    retried = run(f"commands retry {command_id} {because}")
    too_late = run(f"commands cancel {command_id} {because}")
    shown = run(f"commands show {command_id}")

    assert retried.exit_code == 0, retried.output
    assert "is accepted, not scheduled" in too_late.output
    assert "retried  by olga, because corrected" in shown.output
    assert "order_list: order_id 1" in shown.output


def test_what_a_login_may_not_do_is_a_line_that_says_what_to_set(
    shop: Shop, do: Do
) -> None:
    do(alice)
    ended = subprocess.run(
        [sys.executable, "-m", "cli", "verify"],
        cwd=ROOT,
        env={
            "OPERATOR_DATABASE_URL": as_role(shop.settings.database_url, "web"),
            "REDIS_URL": "redis+socket:///nowhere",
            "SECRET_KEY": shop.settings.secret_key,
            "MASTER_KEY": MASTER_KEY,
        },
        capture_output=True,
        text=True,
    )

    assert ended.returncode == 1
    assert "permission denied for table seals" in ended.stderr
    assert "OPERATOR_DATABASE_URL is to name an operator's" in ended.stderr
    assert "Traceback" not in ended.stderr
