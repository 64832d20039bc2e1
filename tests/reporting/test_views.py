"""The views and functions for reports tell what the tables have, and no secret."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from eventstore.access.tokens import find_tokens, hash_of, revoke_token
from eventstore.access.users import set_disabled, set_password
from tasks.shop.permissions import FORMER_ROLES, ROLES, may_send, permissions_of
from tasks.shop.reporting.install import (
    VIEWS,
    ReportingInUse,
    drop_reporting,
    ensure_reporting,
    find_fingerprint,
    fingerprint,
)
from tasks.shop.wiring import Shop
from tests.support.desk import Do, alice, cancel, deliver, pay, place
from tests.support.reader import ask_as, connected
from tests.support.users import token_of, user


def test_who_may_do_what(shop: Shop) -> None:
    user(shop, "ada", "admin")
    user(shop, "wim", "warehouse", "sales")
    user(shop, "eve", "bookkeeper")
    with shop.lent() as connection:
        set_disabled(connection, "eve", is_disabled=True)

    allowed = ask_as(
        shop, "SELECT user_name, permission, command_type FROM reporting.permissions"
    )

    for name, roles in {"ada": ["admin"], "wim": ["warehouse", "sales"]}.items():
        may = permissions_of(roles)
        assert {p for who, p, _ in allowed if who == name} == may
        for command_type in shop.commands:
            is_told = (name, command_type) in {(who, t) for who, _, t in allowed}
            assert is_told == may_send(command_type, may), command_type
    assert "eve" not in {who for who, _, _ in allowed}
    assert {role for (role,) in ask_as(shop, "SELECT role FROM reporting.roles")} == {
        *ROLES,
        *FORMER_ROLES,
    }


def test_a_role_by_its_former_name_is_reported_with_its_permissions(shop: Shop) -> None:
    user(shop, "eve", "cashier")

    allowed = ask_as(shop, "SELECT permission FROM reporting.permissions")

    assert {permission for (permission,) in allowed} == ROLES["bookkeeper"]


def test_neither_tokens_nor_hashes_are_to_be_seen(shop: Shop) -> None:
    user(shop, "ada", "admin")
    token = token_of(shop, "ada", ["read"])
    argon = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXRoaW5n$c2VjcmV0"
    with shop.lent() as connection:
        set_password(connection, "ada", argon)
        _, second = find_tokens(connection, "ada")
        revoke_token(connection, second.prefix)

    seen = [
        str(row)
        for view in VIEWS
        for row in ask_as(shop, f"SELECT to_jsonb(v) FROM reporting.{view} AS v")
    ]

    for secret in (token, second.prefix, hash_of(token).hex(), argon, "argon2"):
        assert not [row for row in seen if secret in row]
    tokens = "SELECT scopes, standing FROM reporting.tokens ORDER BY created_at"
    assert ask_as(shop, tokens) == [(["all"], "valid"), (["read"], "revoked")]
    users = "SELECT user_name, roles, usable_tokens FROM reporting.users"
    assert ask_as(shop, users) == [("ada", ["admin"], 1)]


@pytest.mark.parametrize("role", ["web", "worker", "relay"])
def test_those_who_do_not_report_are_not_let_in(shop: Shop, role: str) -> None:
    for query in (
        "SELECT * FROM reporting.users",
        "SELECT * FROM reporting.order_as_of(1, now())",
        "SELECT * FROM reporting.command_seconds(now(), now())",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            ask_as(shop, query, role)
    assert ask_as(shop, "SELECT * FROM reporting.users", "operator") == []


def test_a_reader_sees_no_more_of_the_tables_than_before(shop: Shop) -> None:
    with connected(shop, "reader") as login:
        for table in ("commands", "access.users", "access.tokens", "vault.keys"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                login.execute(f"SELECT * FROM {table}")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            login.execute("CREATE VIEW reporting.mine AS SELECT 1")


COMMAND = """
    INSERT INTO commands (
        id, stream_id, type, data, metadata, principal, fingerprint, status, error,
        accepted_at, not_before, finished_at
    )
    SELECT gen_random_uuid(), 'order-1', %(type)s, '{"street": "Retro Road"}', '{}',
        'ada', '', %(status)s, %(error)s, %(at)s, %(due)s, %(end)s
"""
NOON = datetime(2026, 3, 28, 12, tzinfo=UTC)


def write_commands(shop: Shop) -> None:
    """A hundred that took a second to a hundred, and what else a day can have."""
    rule = '{"rule": "OrderAlreadyPaid", "message": "It was paid by Ada."}'
    error = '{"error": "KeyError", "message": "Retro Road"}'
    rows: list[dict[str, Any]] = [
        {"status": "succeeded", "end": NOON + timedelta(seconds=seconds)}
        for seconds in range(1, 101)
    ]
    rows += [
        {"status": "rejected", "end": NOON + timedelta(seconds=2), "error": rule},
        {"status": "failed", "end": NOON + timedelta(days=1), "error": error},
        {"status": "abandoned", "end": NOON + timedelta(days=9), "error": error},
        {"status": "accepted"},
        {"status": "accepted", "due": datetime(9999, 1, 1, tzinfo=UTC)},
        {
            "type": "CancelUnpaidOrder",
            "status": "succeeded",
            "due": NOON + timedelta(days=30),
            "end": NOON + timedelta(days=30, seconds=3),
        },
    ]
    usual = {"type": "PlaceOrder", "error": None, "at": NOON, "due": None, "end": None}
    with shop.lent() as connection:
        for row in rows:
            connection.execute(COMMAND, {**usual, **row})


def test_commands_are_counted_by_day_type_and_end(shop: Shop) -> None:
    write_commands(shop)

    day = NOON.date()
    rows = ask_as(shop, "SELECT * FROM reporting.commands_by_day")
    assert sorted(rows, key=str) == [
        (day, "CancelUnpaidOrder", "succeeded", None, 1),
        (day, "PlaceOrder", "abandoned", "KeyError", 1),
        (day, "PlaceOrder", "accepted", None, 1),
        (day, "PlaceOrder", "failed", "KeyError", 1),
        (day, "PlaceOrder", "rejected", "OrderAlreadyPaid", 1),
        (day, "PlaceOrder", "scheduled", None, 1),
        (day, "PlaceOrder", "succeeded", None, 100),
    ]
    with connected(shop, "reader") as login:
        login.execute("SET TimeZone = 'Pacific/Auckland'")
        far = login.execute("SELECT DISTINCT day FROM reporting.commands_by_day")
        assert far.fetchall() == [(day + timedelta(days=1),)]


def test_seconds_to_the_end_are_percentiles_of_the_commands(shop: Shop) -> None:
    write_commands(shop)

    scheduled = ("CancelUnpaidOrder", 1, 3, 3, 3, 3)
    placed = ("PlaceOrder", 102, 50.5, pytest.approx(95.95), pytest.approx(99.99))
    by_day = "SELECT * FROM reporting.command_seconds_by_day ORDER BY command_type"
    first, second = ask_as(shop, by_day)
    assert (first, second[:6]) == ((NOON.date(), *scheduled), (NOON.date(), *placed))
    assert second[6] == 86_400
    function = "SELECT * FROM reporting.command_seconds('{}', '{}')"
    noon, later = NOON.isoformat(), (NOON + timedelta(microseconds=1)).isoformat()
    first, second = ask_as(shop, function.format(noon, later))
    assert (first, second[:5], second[5]) == (scheduled, placed, 86_400)
    assert ask_as(shop, function.format(later, "infinity")) == []
    assert ask_as(shop, function.format("-infinity", noon)) == []


def test_a_commands_end_is_in_the_views_as_it_was(shop: Shop, do: Do) -> None:
    do(alice, place, pay, cancel, deliver)

    rows = ask_as(
        shop,
        "SELECT command_type, status, reason, commands FROM reporting.commands_by_day",
    )
    assert ("ConfirmDelivery", "rejected", "OrderNotShipped", 1) in rows
    assert ("PlaceOrder", "succeeded", None, 1) in rows


def test_views_of_another_version_are_made_again(shop: Shop) -> None:
    with shop.engine.begin() as connection:
        connection.exec_driver_sql(
            """
            COMMENT ON SCHEMA reporting IS 'made from the code: earlier';
            DROP VIEW reporting.permissions;
            CREATE OR REPLACE VIEW reporting.roles AS
                SELECT 'x' AS role, 'y' AS permission, 'z' AS command_type, 1 AS other;
            DROP FUNCTION reporting.command_seconds;
            REVOKE USAGE ON SCHEMA reporting FROM recount_reader
            """
        )
    ensure_reporting(shop.engine)

    assert find_fingerprint(shop.engine) == fingerprint()
    assert ask_as(shop, "SELECT * FROM reporting.permissions") == []
    assert ask_as(shop, "SELECT * FROM reporting.command_seconds(now(), now())") == []


def test_views_that_others_have_built_upon_stay(shop: Shop) -> None:
    with shop.engine.begin() as connection:
        connection.exec_driver_sql(
            """
            CREATE SCHEMA mine;
            CREATE VIEW mine.admins AS
                SELECT user_name FROM reporting.permissions WHERE role = 'admin'
            """
        )
    with pytest.raises(ReportingInUse, match=r"view mine\.admins depends on"):
        drop_reporting(shop.engine)

    assert find_fingerprint(shop.engine) == fingerprint()
    assert ask_as(shop, "SELECT * FROM reporting.commands_by_day") == []
