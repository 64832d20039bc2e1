"""The operators' command line: is the past what it was, and what is kept elsewhere."""

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from cli.seals import seals
from cli.verify import verify
from eventstore.seals.seals import seal_log
from tasks import seals as sealing
from tasks.shop.wiring import Shop
from tests.support.desk import Do, alice, cancel, place

NOTHING_WRONG = "nothing is wrong"


def run(command: click.Command, *arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


@pytest.fixture
def sealed(shop: Shop, do: Do) -> Shop:
    """A customer and an order, sealed."""
    do(alice, place)
    sealing.run(shop)
    return shop


def tamper(shop: Shop, *statements: str) -> None:
    with shop.lent() as connection:
        for table in ("events", "seals"):
            connection.execute(
                f"ALTER TABLE {table} DISABLE TRIGGER {table}_refuse_change"
            )
        for statement in statements:
            connection.execute(statement)


def test_a_log_that_nobody_changed_is_vouched_for(sealed: Shop) -> None:
    result = run(verify)

    assert result.exit_code == 0
    assert result.output.splitlines()[-2:] == [
        "the seals vouch for the log up to position 2",
        NOTHING_WRONG,
    ]


def test_how_far_it_is_is_told(sealed: Shop) -> None:
    assert "seals: 2 of 2" in run(verify).output


def test_what_was_changed_is_named_and_the_status_tells(sealed: Shop) -> None:
    tamper(sealed, "UPDATE events SET data = data || '{\"total\": 1}' WHERE id = 2")

    result = run(verify)

    assert result.exit_code == 1
    assert "seals: seal 1, position 2, order-1 version 1: changed (data)" in (
        result.output.splitlines()
    )
    assert "the seals vouch for the log up to position 1" in result.output
    assert result.output.endswith("1 findings\n")


def test_what_is_not_sealed_yet_is_told(sealed: Shop, do: Do) -> None:
    do(cancel)

    result = run(verify)

    assert result.exit_code == 0
    assert "not sealed yet: 1 events behind position 2" in result.output


def test_a_log_without_seals_is_vouched_for_up_to_nowhere(shop: Shop) -> None:
    result = run(verify)

    assert result.exit_code == 0
    assert "the seals vouch for the log up to position 0" in result.output
    assert "there is no seal yet" in result.output


def test_a_program_gets_lines_of_json(sealed: Shop) -> None:
    tamper(sealed, "DELETE FROM events WHERE id = 2")

    lines = [json.loads(line) for line in run(verify, "--json").output.splitlines()]

    assert lines[0] == {
        "check": "seals",
        "what": "missing",
        "position": 2,
        "stream_id": "order-1",
        "version": 1,
        "seal": 1,
        "command_id": None,
        "detail": "",
    }
    assert [line["check"] for line in lines[1:-1]] == ["commands' events"]
    assert lines[-1] == {
        "findings": 2,
        "vouched_up_to": 1,
        "sealed_up_to": 2,
        "not_sealed": 0,
    }


def test_a_check_ends_where_too_much_is_wrong(sealed: Shop) -> None:
    tamper(sealed, "UPDATE events SET type = 'X'")

    result = run(verify, "--most", 1)

    assert "seals: it ended there, more may be wrong: --most" in result.output


def test_what_a_terminal_takes_for_an_order_is_not_shown(sealed: Shop) -> None:
    tamper(sealed, "UPDATE events SET type = E'\\x1b[2J' WHERE id = 1")

    assert "\x1b" not in run(verify).output


def test_an_older_export_shows_that_the_end_was_cut_off(
    sealed: Shop, do: Do, tmp_path: Path
) -> None:
    do(cancel)
    sealing.run(sealed)
    assert run(seals, "export", "--to", tmp_path / "kept.jsonl").exit_code == 0
    assert NOTHING_WRONG in run(verify, "--against", tmp_path / "kept.jsonl").output
    tamper(
        sealed,
        "DELETE FROM events WHERE id = 3",
        "DELETE FROM seals WHERE number = 2",
        "UPDATE subscriptions SET checkpoint = 2 WHERE name = 'seals'",
        "DELETE FROM commands WHERE position = 3",
    )

    assert run(verify).exit_code == 0
    result = run(verify, "--against", tmp_path)
    assert result.exit_code == 1
    assert "exported seals: seal 2, position 3: it is missing" in result.output


def test_an_export_goes_to_standard_output(sealed: Shop) -> None:
    result = run(seals, "export", "--last", 5)

    lines = [json.loads(line) for line in result.output.splitlines()]
    assert [(line["number"], line["up_to"]) for line in lines] == [(0, 0), (1, 2)]
    assert len({line["log"] for line in lines}) == 1
    assert [line["form"] for line in lines] == ["recount seal 1"] * 2


def test_an_export_is_not_overwritten_by_a_shorter_chain(
    sealed: Shop, do: Do, tmp_path: Path
) -> None:
    path = tmp_path / "kept.jsonl"
    run(seals, "export", "--to", path)
    kept = path.read_text()
    tamper(sealed, "DELETE FROM seals WHERE number = 1")

    result = run(seals, "export", "--to", path)

    assert result.exit_code == 1
    assert "is left as it is" in result.output
    assert path.read_text() == kept
    assert list(tmp_path.iterdir()) == [path]


def test_an_export_grows_with_the_chain(sealed: Shop, do: Do, tmp_path: Path) -> None:
    path = tmp_path / "kept.jsonl"
    run(seals, "export", "--to", path)
    do(cancel)
    with sealed.lent() as connection:
        seal_log(connection)

    assert run(seals, "export", "--to", path).exit_code == 0
    assert json.loads(path.read_text())["number"] == 2


def test_a_log_without_seals_has_nothing_to_export(shop: Shop) -> None:
    result = run(seals, "export")

    assert result.exit_code == 1
    assert "Nothing is sealed yet" in result.output


def test_a_file_that_is_no_export_is_a_wrong_call(sealed: Shop, tmp_path: Path) -> None:
    (tmp_path / "kept.jsonl").write_text("hunter2\n")

    for command in (
        (verify, "--against", tmp_path / "kept.jsonl"),
        (verify, "--against", tmp_path / "nowhere"),
    ):
        assert run(*command).exit_code == 2
    assert run(seals, "export", "--to", tmp_path / "kept.jsonl").exit_code == 1
    assert run(seals, "export", "--to", tmp_path / "no" / "where").exit_code == 1
