"""Sessions and logins in the database: how long they are good, and what is counted."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from eventstore.access.for_sessions import (
    add_first_user,
    add_user,
    change_password,
    change_user,
    create_token,
    find_tokens,
    find_users,
    revoke_token,
)
from eventstore.access.sessions import (
    IDLE,
    MAX_AGE,
    LoginCounter,
    begin_login,
    end_session,
    end_sessions_of,
    find_session,
    hash_of,
    note_session,
    open_session,
)
from eventstore.access.tokens import find_bearer
from eventstore.access.users import set_disabled, set_password, set_roles
from tests.support.engine import connect

METHOD = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$"
HASH = f"{METHOD}b2YgYWxpY2U"
OTHER = f"{METHOD}b2YgYm9i"

Connection = psycopg.Connection[Any]


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    with connect(database) as connection:
        assert add_first_user(connection, "alice", HASH)
        yield connection


def opened(connection: Connection, user: str = "alice", hashed: str = HASH) -> bytes:
    secret = open_session(connection, user, hashed, [])
    assert secret is not None
    return hash_of(secret)


def added(connection: Connection, session: bytes, name: str, *roles: str) -> bytes:
    assert add_user(connection, session, name, roles, OTHER)
    return opened(connection, name, OTHER)


def test_the_first_user_is_an_admin_and_there_is_one(connection: Connection) -> None:
    assert not add_first_user(connection, "bob", OTHER)

    (alice,) = find_users(connection, opened(connection))
    assert (alice.name, alice.roles, alice.has_password) == ("alice", ["admin"], True)


def test_of_many_who_want_to_be_the_first_one_is(database: str) -> None:
    def add(number: int) -> bool:
        with connect(database) as own:
            return add_first_user(own, f"user{number}", HASH)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(add, range(8))).count(True) == 1


def test_a_session_is_found_by_the_hash_of_its_secret_alone(
    connection: Connection,
) -> None:
    secret = open_session(connection, "alice", HASH, [])
    assert secret is not None
    kept = connection.execute("SELECT s::text FROM access.sessions AS s").fetchone()

    found = find_session(connection, hash_of(secret))
    assert found is not None
    assert (found.user, found.roles, found.is_to_note) == ("alice", ["admin"], False)
    assert find_session(connection, hash_of(secret + "x")) is None
    assert secret not in str(kept)


@pytest.mark.parametrize("wrong", [OTHER, METHOD, "", HASH + "x"])
def test_without_the_password_no_session_is_opened(
    connection: Connection, wrong: str
) -> None:
    assert open_session(connection, "alice", wrong, []) is None
    assert open_session(connection, "zoe", HASH, []) is None


def test_who_has_no_password_cannot_log_in(connection: Connection) -> None:
    assert add_user(connection, opened(connection), "bob", ["sales"], None)

    assert begin_login(connection, "bob", []).method is None
    for hashed in (HASH, ""):
        assert open_session(connection, "bob", hashed, []) is None


def test_the_method_of_a_password_comes_without_its_hash(
    connection: Connection,
) -> None:
    assert begin_login(connection, "alice", []) == (None, METHOD)
    assert begin_login(connection, "zoe", []) == (None, None)
    set_disabled(connection, "alice", is_disabled=True)
    assert begin_login(connection, "alice", []) == (None, None)


@pytest.mark.parametrize(
    ("column", "age", "is_good"),
    [
        ("seen_at", IDLE - timedelta(minutes=1), True),
        ("seen_at", IDLE, False),
        ("created_at", MAX_AGE - timedelta(minutes=1), True),
        ("created_at", MAX_AGE, False),
    ],
)
def test_a_session_has_an_end(
    connection: Connection, column: str, age: timedelta, is_good: bool
) -> None:
    session = opened(connection)
    age_session(connection, column, age)

    # Whoever uses it: one that has ended stays so.
    note_session(connection, session)
    assert (find_session(connection, session) is not None) is is_good


def age_session(connection: Connection, column: str, age: timedelta) -> None:
    connection.execute(
        f"UPDATE access.sessions SET {column} = clock_timestamp() - %s", (age,)
    )


def test_a_session_that_is_used_is_noted_once_a_minute(connection: Connection) -> None:
    session = opened(connection)
    query = "SELECT seen_at, xmin::text FROM access.sessions"
    before = connection.execute(query).fetchone()
    note_session(connection, session)
    assert connection.execute(query).fetchone() == before

    age_session(connection, "seen_at", timedelta(minutes=1))
    found = find_session(connection, session)
    assert found is not None
    assert found.is_to_note
    note_session(connection, session)
    found = find_session(connection, session)
    assert found is not None
    assert not found.is_to_note


def test_sessions_that_have_ended_are_pruned_by_the_next_login(
    connection: Connection,
) -> None:
    for column, age in (("seen_at", IDLE), ("created_at", MAX_AGE)):
        opened(connection)
        age_session(connection, column, age)
        opened(connection)

        rows = connection.execute("SELECT count(*) FROM access.sessions").fetchone()
        assert rows == (1,)
        end_sessions_of(connection, "alice")


@pytest.mark.parametrize("how", ["disabled", "password", "everywhere", "operator"])
def test_all_sessions_of_a_user_end_and_those_of_others_stay(
    connection: Connection, how: str
) -> None:
    mine, again = opened(connection), opened(connection)
    bobs = added(connection, mine, "bob", "sales")

    match how:
        case "disabled":
            set_disabled(connection, "alice", is_disabled=True)
            set_disabled(connection, "alice", is_disabled=False)
        case "password":
            set_password(connection, "alice", OTHER)
        case "everywhere":
            assert end_session(connection, mine, is_everywhere=True) == 2
        case "operator":
            assert end_sessions_of(connection, "alice") == 2

    assert find_session(connection, mine) is None
    assert find_session(connection, again) is None
    assert find_session(connection, bobs) is not None


def test_one_session_ends_alone(connection: Connection) -> None:
    mine, again = opened(connection), opened(connection)

    assert end_session(connection, mine) == 1
    assert find_session(connection, mine) is None
    assert find_session(connection, again) is not None
    # Who has none ends none.
    assert end_session(connection, mine, is_everywhere=True) == 0
    assert find_session(connection, again) is not None


def test_roles_that_are_taken_away_are_gone_from_the_session(
    connection: Connection,
) -> None:
    session = opened(connection)
    set_roles(connection, "alice", ["sales"])

    found = find_session(connection, session)
    assert found is not None
    assert found.roles == ["sales"]


def counted(digest: bytes, allowed: int = 3, seconds: float = 60) -> LoginCounter:
    return LoginCounter(digest, allowed, timedelta(seconds=seconds))


def waits(
    connection: Connection, *by: LoginCounter, times: int = 1, user: str = "alice"
) -> list[bool]:
    """Return of so many logins whether each has to wait."""
    begun = [begin_login(connection, user, by) for _ in range(times)]
    assert all((b.method is None) or (b.seconds_to_wait is None) for b in begun)
    return [b.seconds_to_wait is not None for b in begun]


@pytest.mark.parametrize("user", ["alice", "zoe"])
def test_so_many_logins_may_fail_and_one_more_after_each_pause(
    connection: Connection, user: str
) -> None:
    by = counted(b"alice")
    assert waits(connection, by, times=5, user=user) == [False] * 3 + [True] * 2
    wait = begin_login(connection, user, [by]).seconds_to_wait
    assert wait is not None
    assert 50 < wait <= 60

    pass_time(connection, 60)
    assert waits(connection, by, times=2, user=user) == [False, True]
    pass_time(connection, 24 * 3600)
    assert waits(connection, by, times=4, user=user) == [False] * 3 + [True]


def pass_time(connection: Connection, seconds: float) -> None:
    connection.execute(
        "UPDATE access.failed_logins SET forgiven_at = forgiven_at - %s",
        (timedelta(seconds=seconds),),
    )


def test_who_has_to_wait_makes_nobody_wait_longer(connection: Connection) -> None:
    by = counted(b"alice", allowed=1)
    waits(connection, by)
    first = begin_login(connection, "alice", [by]).seconds_to_wait
    waits(connection, by, times=20)
    last = begin_login(connection, "alice", [by]).seconds_to_wait

    assert first is not None
    assert last is not None
    assert last <= first


def test_what_is_counted_apart_holds_nothing_else_up(connection: Connection) -> None:
    address = counted(b"address", allowed=100)
    waits(connection, address, counted(b"alice"), times=10)

    assert waits(connection, address, counted(b"bob")) == [False]
    assert waits(connection, counted(b"browser of alice")) == [False]


def test_a_login_that_succeeds_is_not_counted(connection: Connection) -> None:
    by = [counted(b"address"), counted(b"alice")]
    for _ in range(10):
        assert begin_login(connection, "alice", by).seconds_to_wait is None
        assert open_session(connection, "alice", HASH, by)

    # Nor does it forgive those that have failed.
    waits(connection, *by, times=2)
    assert begin_login(connection, "alice", by).seconds_to_wait is None
    assert open_session(connection, "alice", HASH, by)
    assert waits(connection, *by, times=2) == [False, True]


def test_of_many_logins_at_once_no_more_are_looked_at(database: str) -> None:
    def begin(_: int) -> bool:
        with connect(database) as own:
            (wait,) = waits(own, counted(b"address", allowed=5), times=1)
            return wait

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(begin, range(32))).count(False) == 5


def test_what_is_forgiven_is_pruned(connection: Connection) -> None:
    waits(connection, counted(b"one"), counted(b"two"))
    pass_time(connection, 61)
    waits(connection, counted(b"three"))

    rows = connection.execute("SELECT of_what FROM access.failed_logins").fetchall()
    assert rows == [(b"three",)]


def test_only_the_session_of_an_admin_changes_users(connection: Connection) -> None:
    alice = opened(connection)
    bob = added(connection, alice, "bob", "sales")
    ended = opened(connection)
    end_session(connection, ended)

    refused: Sequence[bytes] = (bob, ended, hash_of("nothing"))
    for session in refused:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            change_user(connection, session, "roles", "bob", roles=["admin"])
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            add_user(connection, session, "eve", ["admin"], OTHER)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            find_users(connection, session)
    assert change_user(connection, alice, "roles", "bob", roles=["admin"])
    assert find_users(connection, bob)


def test_an_admin_changes_a_user_in_each_way(connection: Connection) -> None:
    alice = opened(connection)
    bob = added(connection, alice, "bob", "sales")

    assert change_user(connection, alice, "sign out", "bob")
    assert find_session(connection, bob) is None
    assert change_user(connection, alice, "disable", "bob")
    assert open_session(connection, "bob", OTHER, []) is None
    assert change_user(connection, alice, "enable", "bob")
    assert change_user(connection, alice, "password", "bob", hashed=HASH)
    assert open_session(connection, "bob", OTHER, []) is None
    assert opened(connection, "bob", HASH)
    assert not change_user(connection, alice, "enable", "zoe")
    assert not add_user(connection, alice, "bob", ["sales"], None)
    with pytest.raises(psycopg.errors.CheckViolation):
        change_user(connection, alice, "password", "bob")


def test_a_user_changes_the_own_password_by_the_present_one(
    connection: Connection,
) -> None:
    session = opened(connection)
    assert not change_password(connection, session, OTHER, OTHER)
    assert not change_password(connection, hash_of("nothing"), HASH, OTHER)

    assert change_password(connection, session, HASH, OTHER)
    assert find_session(connection, session) is None
    assert opened(connection, "alice", OTHER)


def test_a_user_has_the_own_tokens_and_an_admin_those_of_all(
    connection: Connection,
) -> None:
    alice = opened(connection)
    bob = added(connection, alice, "bob", "sales")
    tokens = {
        name: create_token(
            connection, session, scopes=["read"], expires_in=timedelta(days=1)
        )
        for name, session in (("alice", alice), ("bob", bob))
    }
    prefixes = {name: str(token).split("_")[1] for name, token in tokens.items()}

    assert [token.user for token in find_tokens(connection, bob)] == ["bob"]
    assert {t.user for t in find_tokens(connection, alice, of_all=True)} == {*tokens}
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        find_tokens(connection, bob, of_all=True)
    assert not revoke_token(connection, bob, prefixes["alice"])
    assert revoke_token(connection, alice, prefixes["bob"])
    assert find_bearer(connection, str(tokens["bob"])) is None
    assert find_bearer(connection, str(tokens["alice"])) is not None
    assert revoke_token(connection, alice, prefixes["alice"])
    nothing = hash_of("nothing")
    assert not find_tokens(connection, nothing)
    assert (
        create_token(connection, nothing, scopes=[], expires_in=timedelta(days=1))
        is None
    )
