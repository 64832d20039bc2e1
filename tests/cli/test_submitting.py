"""`recount commands submit`: a file of commands, which may be sent again."""

import json
from pathlib import Path
from typing import Any

import click
import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from cli import commands
from eventstore.journal.accept import accept_many
from tasks.shop.wiring import Shop
from tests.support.visiting import ALICE, CLOCKS

REGISTER = {"type": "RegisterCustomer", "data": ALICE}
PLACE = {"type": "PlaceOrder", "data": CLOCKS}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "orders.ndjson"


def submit(path: Path, *lines: Any, options: tuple[str, ...] = ()) -> Result:
    texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
    path.write_text("".join(f"{text}\n" for text in texts))
    return CliRunner().invoke(commands, ["submit", str(path), *options])


def count(shop: Shop) -> int:
    with shop.engine.connect() as connection:
        return int(connection.scalar(sa.text("SELECT count(*) FROM commands")) or 0)


def test_the_commands_of_a_file_are_accepted(path: Path, shop: Shop) -> None:
    result = submit(path, REGISTER, PLACE)

    assert result.exit_code == 0
    assert result.output.splitlines()[-2:] == [
        "orders.ndjson: 2 of 2",
        "2 accepted; 0 refused",
    ]
    assert count(shop) == 2


def test_a_refused_line_is_told_by_its_number(path: Path, shop: Shop) -> None:
    result = submit(path, REGISTER, {"type": "Pay", "data": {}}, PLACE)

    assert result.exit_code == 1
    assert "line 2: type " in result.output
    assert "2 accepted; 1 refused" in result.output
    assert count(shop) == 2


def test_of_many_refused_lines_some_are_told_and_all_are_counted(
    path: Path, shop: Shop
) -> None:
    result = submit(path, *[{"type": "Pay", "data": {}}] * 60, PLACE)

    assert result.output.count("type ") == 50
    assert "… and 10 more" in result.output
    assert "1 accepted; 60 refused" in result.output


def test_a_file_that_was_interrupted_goes_on_where_it_ended(
    path: Path, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.api.batch.IN_A_SET", 2)
    sets = []

    def die_at_the_second(*arguments: Any) -> Any:
        sets.append(arguments)
        if len(sets) == 2:
            raise KeyboardInterrupt
        return accept_many(*arguments)

    with monkeypatch.context() as interrupted:
        interrupted.setattr("tasks.accept.write_commands", die_at_the_second)
        submit(path, REGISTER, *[PLACE] * 4)
    accepted_first = count(shop)
    result = submit(path, REGISTER, *[PLACE] * 4)

    assert accepted_first == 2
    assert "5 accepted, 2 of them before; 0 refused" in result.output
    assert count(shop) == 5


def test_a_file_that_has_grown_is_the_same_if_one_says_so(
    path: Path, shop: Shop
) -> None:
    key = ("--key", "orders of today")
    submit(path, REGISTER, PLACE, options=key)
    submit(path, REGISTER, PLACE, PLACE, options=key)

    assert count(shop) == 3


def test_a_key_that_is_none_is_told(path: Path, shop: Shop) -> None:
    result = submit(path, PLACE, options=("--key", "é"))

    assert result.exit_code == click.UsageError.exit_code
    assert "printable" in result.output
