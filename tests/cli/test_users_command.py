"""`recount users` and `recount tokens`: what an operator does, and is told."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient
from psycopg.errors import CheckViolation

from cli import cli
from eventstore.access.sessions import open_session
from eventstore.access.users import add_user, set_password
from tasks.shop import wiring
from tasks.shop.passwords import (
    MAX_BYTES,
    METHOD,
    UnusablePassword,
    hash_by,
    hash_password,
    method_of,
)
from tasks.shop.wiring import Shop
from tests.support.databases import as_role
from tests.support.users import bearing


@pytest.fixture(autouse=True)
def operators_shop(shop: Shop) -> Iterator[Shop]:
    """The shop, as the command line has it: with the rights of an operator."""
    url = as_role(shop.settings.database_url, "operator")
    operators = Shop(replace(shop.settings, database_url=url))
    wiring.use(operators)
    yield operators
    operators.engine.dispose()


def run(line: str, typed: str = "") -> Result:
    return CliRunner().invoke(cli, line.split(), input=typed)


def told(line: str, typed: str = "") -> str:
    result = run(line, typed)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(line: str, typed: str = "") -> str:
    result = run(line, typed)
    assert result.exit_code in (1, 2), result.output
    assert isinstance(result.exception, SystemExit), result.exception
    return result.output


def test_the_first_user_is_told_what_it_means() -> None:
    assert "no users" in told("users list")
    assert "From now on the API requires a token" in told(
        "users add alice --role admin"
    )
    assert told("users add bob --role sales --role bookkeeper") == (
        "bob is bookkeeper and sales\n"
    )
    assert told("users list").splitlines() == [
        "alice  admin  0 tokens",
        "bob  bookkeeper, sales  0 tokens",
    ]


def test_a_role_is_given_by_its_former_name_and_called_by_its_present_one(
    shop: Shop,
) -> None:
    assert "eve is bookkeeper\n" in told("users add eve --role cashier")
    with shop.lent() as connection:
        # By the version before.
        connection.execute("UPDATE access.user_roles SET role = 'cashier'")

    assert told("users list") == "eve  bookkeeper  0 tokens\n"


def test_a_name_is_given_once() -> None:
    told("users add alice --role admin")
    told("users disable alice")

    assert "there is a user alice already" in refused("users add alice --role sales")


@pytest.mark.parametrize("name", ["local", "process:x", "Alice", "a b", "-", "a" * 61])
def test_a_name_that_could_be_taken_for_another_is_refused(
    shop: Shop, name: str
) -> None:
    assert CliRunner().invoke(cli, ["users", "add", name, "--role", "admin"]).exit_code
    with shop.lent() as connection, pytest.raises(CheckViolation, match="users_name"):
        add_user(connection, name, ["admin"])


def test_a_role_that_there_is_not_is_refused() -> None:
    assert "'admin', 'auditor'" in refused("users add alice --role boss")


def test_roles_are_given_and_taken_away() -> None:
    told("users add alice --role admin")
    assert told("users roles alice warehouse") == "alice is warehouse\n"
    assert told("users roles alice") == "alice is without a role\n"
    assert told("users list") == "alice  no role  0 tokens\n"


def test_who_is_disabled_is_let_in_again(shop: Shop) -> None:
    told("users add alice --role admin")
    told("users disable alice")
    assert "disabled since" in told("users list")
    assert "a disabled one" in refused("tokens create alice")
    told("users enable alice")
    assert "disabled" not in told("users list")


def test_who_is_not_there_is_said() -> None:
    for line in (
        "users roles zoe sales",
        "users disable zoe",
        "users enable zoe",
        "tokens create zoe",
    ):
        assert "there is no user zoe" in refused(line)
    assert "there is no user zoe" in refused(
        "users password zoe", "correct horse\n" * 2
    )
    assert "no such token" in refused("tokens revoke 0123456789ab")


def test_a_token_is_shown_once_and_then_by_its_prefix(client: FlaskClient) -> None:
    told("users add alice --role sales")
    token = told("tokens create alice --scope read --days 7").strip()
    assert client.get("/api/orders", headers=bearing(token)).status_code == 200

    (line,) = told("tokens list").splitlines()
    prefix = line.split()[0]
    assert line.startswith(f"{prefix}  alice  read  until ")
    assert line.endswith("  valid")
    assert prefix in token
    assert token not in line
    (known,) = map(json.loads, told("tokens list alice --json").splitlines())
    assert (known["prefix"], known["standing"]) == (prefix, "valid")
    assert told("users list") == "alice  sales  1 token\n"

    assert told(f"tokens revoke {token}") == "revoked\n"
    assert told("tokens list").rstrip().endswith("  revoked")
    assert told("users list") == "alice  sales  0 tokens\n"


def test_a_password_is_kept_as_its_hash(shop: Shop) -> None:
    told("users add alice --role sales")
    password = "correct horse battery"
    assert password not in told("users password alice", f"{password}\n")

    with shop.lent() as connection:
        row = connection.execute("SELECT password FROM access.users").fetchone()
    assert row is not None
    assert row[0].startswith("$argon2id$")
    assert hash_by(method_of(row[0]), password) == row[0]
    assert hash_by(method_of(row[0]), "correct horse batterx") != row[0]
    assert told("users list") == "alice  sales  0 tokens  a password\n"


def test_a_password_that_is_easily_guessed_is_refused(operators_shop: Shop) -> None:
    told("users add alice --role sales")
    assert "at least 10" in refused("users password alice", "nine char\n")
    assert "at most 1,000 bytes" in refused("users password alice", "ü" * 501)
    for password in ("", "x" * 9, "x" * (MAX_BYTES + 1), "ü" * 501):
        with pytest.raises(UnusablePassword):
            hash_password(password)
    longest = hash_password("x" * MAX_BYTES)
    assert hash_by(method_of(longest), "x" * MAX_BYTES) == longest
    assert hash_by(method_of(longest), "x" * (MAX_BYTES + 1)) != longest


def test_a_password_is_the_same_from_each_keyboard() -> None:
    composed, decomposed = "Schlüsselbund", "Schlu\u0308sselbund"
    kept = hash_password(composed)

    assert hash_by(method_of(kept), decomposed) == kept


def test_without_a_method_what_is_computed_can_be_no_stored_hash() -> None:
    kept = hash_password("correct horse")
    for method in (None, "", "no method", "$argon2id$", method_of(kept)[:-1]):
        assert not METHOD.match(hash_by(method, "correct horse"))


def test_a_user_is_added_with_a_password_that_is_in_no_list_of_processes() -> None:
    added = told("users add alice --role admin --password", "correct horse\n")

    assert added.splitlines()[-1] == "From now on the pages require a login."
    assert "correct horse" not in added
    assert told("users list") == "alice  admin  0 tokens  a password\n"
    assert "at least 10" in refused("users add bob --role sales --password", "short\n")
    assert "bob" not in told("users list")


def test_all_sessions_of_a_user_are_ended(shop: Shop) -> None:
    password = hash_password("correct horse")
    told("users add alice --role admin")
    with shop.lent() as connection:
        set_password(connection, "alice", password)
        for _ in range(2):
            assert open_session(connection, "alice", password, [])
    assert told("users list") == "alice  admin  0 tokens  a password  signed in\n"

    assert told("users sign-out alice") == "2 sessions ended\n"
    assert told("users list") == "alice  admin  0 tokens  a password\n"
    assert "there is no user zoe" in refused("users sign-out zoe")


def test_a_password_in_the_clear_does_not_get_into_the_database(shop: Shop) -> None:
    told("users add alice --role sales")
    with (
        shop.lent() as connection,
        pytest.raises(CheckViolation, match="argon2id hash"),
    ):
        connection.execute("SELECT set_password('alice', 'correct horse')")
