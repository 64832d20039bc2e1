"""What the login `reader` sees: read models and views, with words for each column."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

import readmodels
from eventstore.access.tokens import find_tokens, hash_of, revoke_token
from eventstore.access.users import set_disabled, set_password
from eventstore.projections.comments import column_comments, comment_of, ensure_comments
from tasks.shop import rebuild
from tasks.shop.permissions import ROLES, may_send, permissions_of
from tasks.shop.reporting.install import (
    FUNCTIONS,
    VIEWS,
    ReportingInUse,
    drop_reporting,
    ensure_reporting,
    find_fingerprint,
    fingerprint,
)
from tasks.shop.wiring import Shop
from tests.support.databases import as_role
from tests.support.desk import Do, alice, cancel, deliver, pay, place
from tests.support.psql import find_psql, type_into_psql
from tests.support.users import token_of, user

Reader = Callable[[], Any]

with_psql = pytest.mark.skipif(find_psql() is None, reason="needs psql")
SCHEMAS = ("readmodels", "reporting")


@contextmanager
def connected(shop: Shop, role: str) -> Iterator[psycopg.Connection[Any]]:
    url = sa.make_url(as_role(shop.settings.database_url, role))
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as login:
        yield login


def ask(shop: Shop, query: str, role: str = "reader") -> list[Any]:
    with connected(shop, role) as login:
        return login.execute(query).fetchall()


def named(shop: Shop) -> list[str]:
    """Return all that `reader` finds by a plain name."""
    found = ask(
        shop,
        """
        SELECT schemaname || '.' || viewname FROM pg_views
        WHERE schemaname IN ('readmodels', 'reporting') ORDER BY 1
        """,
    )
    return [name for (name,) in found]


def described(shop: Shop) -> dict[str, str | None]:
    """Return the comments that `reader` finds, by the name of view or column."""
    found = ask(
        shop,
        """
        SELECT a.attrelid::regclass || '.' || a.attname,
            col_description(a.attrelid, a.attnum)
        FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
        WHERE c.relnamespace IN ('readmodels'::regnamespace, 'reporting'::regnamespace)
            AND c.relkind = 'v' AND a.attnum > 0
        UNION ALL
        SELECT c.oid::regclass::text, obj_description(c.oid, 'pg_class')
        FROM pg_class AS c
        WHERE c.relnamespace IN ('readmodels'::regnamespace, 'reporting'::regnamespace)
            AND c.relkind = 'v'
        """,
    )
    return dict(found)


def test_every_view_and_every_column_has_a_comment(shop: Shop) -> None:
    comments = described(shop)

    assert named(shop) == sorted(
        [f"readmodels.{p.name}" for p in readmodels.ALL]
        + [f"reporting.{view}" for view in VIEWS]
    )
    assert [name for name, comment in comments.items() if not comment] == []
    assert len(comments) > 100


def test_every_function_has_a_comment(shop: Shop) -> None:
    found = ask(
        shop,
        """
        SELECT proname::text, obj_description(oid, 'pg_proc') FROM pg_proc
        WHERE pronamespace = 'reporting'::regnamespace ORDER BY 1
        """,
    )

    assert [name for name, comment in found if comment] == sorted(FUNCTIONS)


def test_a_view_that_a_rebuild_makes_again_keeps_its_comments(shop: Shop) -> None:
    before = described(shop)
    for projection in readmodels.ALL:
        rebuild.rebuild(shop, projection, lambda _: None)

    assert described(shop) == before


def test_comments_are_the_words_beside_the_fields(shop: Shop) -> None:
    comments = described(shop)
    for projection in readmodels.ALL:
        view = f"readmodels.{projection.name}"
        assert comments[view] == comment_of(projection.row)
        for column, text in column_comments(projection.row).items():
            assert comments[f"{view}.{column}"] == text


def test_what_is_personal_in_a_read_model_is_marked(shop: Shop) -> None:
    comments = described(shop)
    marked = {
        name.partition(".")[2]
        for name, comment in comments.items()
        if comment and comment.startswith("Personal: ")
    }

    assert marked == {
        *(f"customers.{c}" for c in ("name", "email", "contact_name", "phone")),
        *("customers.address", "customers.words"),
        *(f"order_list.customer_{c}" for c in ("name", "email", "words")),
        *("order_details.customer_name", "order_details.customer_email"),
        "order_details.address",
    }


def test_a_view_of_a_version_without_comments_gets_them(shop: Shop) -> None:
    before = described(shop)
    with shop.lent() as connection:
        connection.execute("COMMENT ON VIEW readmodels.order_list IS NULL")
        connection.execute("COMMENT ON COLUMN readmodels.products.product IS 'a text'")
        for projection in readmodels.ALL:
            ensure_comments(connection, projection)

    assert described(shop) == before


@with_psql
def test_psql_shows_a_reader_what_each_column_means(shop: Shop, do: Do) -> None:
    do(alice, place)
    shown = type_into_psql(
        shop.settings.database_url,
        "reader",
        r"\d+ readmodels.order_list",
        r"\d+ reporting.permissions",
        r"\df+ reporting.order_as_of",
        "SELECT order_id, customer_name, total FROM readmodels.order_list",
        "SELECT status, total, customer_name IS NULL AS is_null"
        " FROM reporting.order_as_of(1, now())",
    )

    total = re.search(r"^ total +\|.*", shown, re.MULTILINE)
    assert total is not None
    assert "What the order costs, after all discounts, in minor units" in total[0]
    assert "The role of the user that allows it" in shown
    assert "An order as it was at a moment" in shown
    assert re.search(r"^ +1 \| Alice +\| 10899$", shown, re.MULTILINE)
    assert re.search(r"^ pending \| 10899 \| t$", shown, re.MULTILINE)


def test_who_may_do_what(shop: Shop) -> None:
    user(shop, "ada", "admin")
    user(shop, "wim", "warehouse", "sales")
    user(shop, "eve", "cashier")
    with shop.lent() as connection:
        set_disabled(connection, "eve", is_disabled=True)

    allowed = ask(
        shop, "SELECT user_name, permission, command_type FROM reporting.permissions"
    )

    for name, roles in {"ada": ["admin"], "wim": ["warehouse", "sales"]}.items():
        may = permissions_of(roles)
        assert {p for who, p, _ in allowed if who == name} == may
        for command_type in shop.commands:
            is_told = (name, command_type) in {(who, t) for who, _, t in allowed}
            assert is_told == may_send(command_type, may), command_type
    assert "eve" not in {who for who, _, _ in allowed}
    assert {role for (role,) in ask(shop, "SELECT role FROM reporting.roles")} == {
        *ROLES
    }


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
        for row in ask(shop, f"SELECT to_jsonb(v) FROM reporting.{view} AS v")
    ]

    for secret in (token, second.prefix, hash_of(token).hex(), argon, "argon2"):
        assert not [row for row in seen if secret in row]
    tokens = "SELECT scopes, standing FROM reporting.tokens ORDER BY created_at"
    assert ask(shop, tokens) == [(["all"], "valid"), (["read"], "revoked")]
    users = "SELECT user_name, roles, usable_tokens FROM reporting.users"
    assert ask(shop, users) == [("ada", ["admin"], 1)]


@pytest.mark.parametrize("role", ["web", "worker", "relay"])
def test_those_who_do_not_report_are_not_let_in(shop: Shop, role: str) -> None:
    for query in (
        "SELECT * FROM reporting.users",
        "SELECT * FROM reporting.order_as_of(1, now())",
        "SELECT * FROM reporting.command_seconds(now(), now())",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            ask(shop, query, role)
    assert ask(shop, "SELECT * FROM reporting.users", "operator") == []


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
    rows = ask(shop, "SELECT * FROM reporting.commands_by_day")
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
    first, second = ask(shop, by_day)
    assert (first, second[:6]) == ((NOON.date(), *scheduled), (NOON.date(), *placed))
    assert second[6] == 86_400
    function = "SELECT * FROM reporting.command_seconds('{}', '{}')"
    noon, later = NOON.isoformat(), (NOON + timedelta(microseconds=1)).isoformat()
    first, second = ask(shop, function.format(noon, later))
    assert (first, second[:5], second[5]) == (scheduled, placed, 86_400)
    assert ask(shop, function.format(later, "infinity")) == []
    assert ask(shop, function.format("-infinity", noon)) == []


def test_a_commands_end_is_in_the_views_as_it_was(shop: Shop, do: Do) -> None:
    do(alice, place, pay, cancel, deliver)

    rows = ask(
        shop,
        "SELECT command_type, status, reason, commands FROM reporting.commands_by_day",
    )
    assert ("ConfirmDelivery", "rejected", "OrderNotShipped", 1) in rows
    assert ("PlaceOrder", "succeeded", None, 1) in rows


def test_views_of_another_version_are_made_again(shop: Shop) -> None:
    with shop.engine.begin() as connection:
        connection.exec_driver_sql(
            """
            COMMENT ON SCHEMA reporting IS 'made from the code: of before';
            DROP VIEW reporting.permissions;
            CREATE OR REPLACE VIEW reporting.roles AS
                SELECT 'x' AS role, 'y' AS permission, 'z' AS command_type, 1 AS other;
            DROP FUNCTION reporting.command_seconds;
            REVOKE USAGE ON SCHEMA reporting FROM recount_reader
            """
        )
    ensure_reporting(shop.engine)

    assert find_fingerprint(shop.engine) == fingerprint()
    assert ask(shop, "SELECT * FROM reporting.permissions") == []
    assert ask(shop, "SELECT * FROM reporting.command_seconds(now(), now())") == []


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
    assert ask(shop, "SELECT * FROM reporting.commands_by_day") == []
