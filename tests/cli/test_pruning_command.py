"""`recount commands prune`: it counts first, and what it deletes nobody misses."""

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from flask.testing import FlaskClient

from cli import commands
from tasks.shop.wiring import Shop
from tests.support.desk import Do, alice, place, rename
from tests.support.visiting import Send, Work, ask


def prune(*arguments: str) -> Result:
    return CliRunner().invoke(commands, ["prune", *arguments])


def count(shop: Shop, rows: str) -> int:
    with shop.engine.connect() as connection:
        return int(connection.scalar(sa.text(f"SELECT count(*) FROM {rows}")) or 0)


def test_without_yes_it_only_counts(shop: Shop, do: Do) -> None:
    do(alice, place)
    result = prune("--older-than", "0s")

    assert "2 succeeded" in result.output
    assert "nothing was deleted; --yes does it" in result.output
    assert count(shop, "commands") == 2


def test_with_yes_it_deletes_what_is_old_enough(shop: Shop, do: Do) -> None:
    do(alice, place)
    young = prune("--older-than", "1h", "--yes")
    old = prune("--older-than", "0s", "--yes", "--as", "olga")

    assert young.output.splitlines()[-1] == "0 commands pruned"
    assert old.output.splitlines()[-1] == "2 commands pruned"
    assert count(shop, "commands") == 0
    assert count(shop, "prunings WHERE acted_by = 'olga' AND count = 2") == 1


def test_keys_of_commands_go_and_those_of_people_stay(
    shop: Shop, do: Do, client: FlaskClient
) -> None:
    do(alice, place)
    assert count(shop, "vault.keys WHERE command_id IS NOT NULL") == 2
    prune("--older-than", "0s", "--yes")
    assert count(shop, "vault.keys WHERE command_id IS NOT NULL") == 0
    do(rename)

    assert ask(client, "/api/customers/ALICE")["name"] == "Alice Retro"


def test_who_is_forgotten_stays_so(
    shop: Shop, do: Do, client: FlaskClient, send: Send, work: Work
) -> None:
    do(alice)
    work(send("ForgetCustomer", {"customer_id": "ALICE"}, key="forget"))
    prune("--older-than", "0s", "--yes")
    late = send(
        "ChangeCustomerDetails", {"customer_id": "ALICE", "name": "A"}, key="late"
    )
    work(late)

    assert ask(client, late.headers["Location"])["status"] == "rejected"
    assert count(shop, "vault.keys WHERE wrapped IS NOT NULL") == 0


def test_who_asks_for_what_was_pruned_is_told_so(
    client: FlaskClient, send: Send, work: Work
) -> None:
    sent = send("RegisterCustomer", {"name": "Bob"})
    work(sent)
    prune("--older-than", "0s", "--yes")
    command_id = sent.headers["Location"].rpartition("/")[2]
    answer, page = (
        client.get(sent.headers["Location"]),
        client.get(f"/commands/{command_id}"),
    )

    assert (answer.status_code, page.status_code) == (404, 404)
    assert "is not kept" in answer.get_json(force=True)["detail"]
    assert "is not kept" in page.text
    shown = CliRunner().invoke(commands, ["show", command_id])
    assert (shown.exit_code, "was pruned." in shown.output) == (1, True)


@pytest.mark.parametrize(
    "age", ["soon", "-1d", "90", "d", "1y", "36526d", "999999999d"]
)
def test_an_age_that_is_none_is_refused(shop: Shop, age: str) -> None:
    assert prune("--older-than", age, "--yes").exit_code == 2
