"""What tests of the read models share: doing something, and being up to date."""

from typing import Any

import pytest

from tasks import catch_up, commands
from tasks.accepting import accept
from tasks.bootstrap import Shop
from tests.support.desk import Do


@pytest.fixture
def do(shop: Shop) -> Do:
    """Accept commands, run each, and bring the read models up to date."""
    keys = map(str, range(1_000))

    def do(*asked: Any) -> None:
        for command in asked:
            accepted = accept(shop, command, key=next(keys), principal="staff")
            commands.run(shop, [accepted.command_id])
        catch_up.run(shop)

    return do
