"""What is in the way of a rewrite: it is refused, and the log stays what it was."""

from typing import Any
from uuid import uuid4

import pytest

from eventstore.connection import driver_connection
from eventstore.errors import RewriteRefused
from eventstore.rewriting import copying
from eventstore.rewriting import rewrite as rewriting
from eventstore.rewriting.preconditions import find_others
from eventstore.seals.seals import seal_log
from tests.support.club import Club


def test_a_command_that_expects_a_version_which_changes_is_in_the_way(
    months: Club,
) -> None:
    months.execute(
        "UPDATE commands SET status = 'accepted', expected_version = 3, position = NULL"
        " WHERE seq = 4"
    )

    with pytest.raises(RewriteRefused, match="1 commands wait that expect a version"):
        months.rewrite()


def test_while_others_are_connected_it_is_refused(club: Club) -> None:
    club.write("member-1", "Joined", {"name": "Alice"})
    with club.autocommitting() as other:
        other.execute("SET application_name TO 'somebody''s psql'")
        with pytest.raises(RewriteRefused, match=r"somebody's psql \(pid \d+\)"):
            club.rewrite()


def test_others_are_found_by_an_owner_who_is_no_superuser(club: Club) -> None:
    with club.autocommitting() as other, club.engine.connect() as connection:
        connection.exec_driver_sql("CREATE ROLE test_owner_of_a_club")
        connection.exec_driver_sql("SET LOCAL ROLE test_owner_of_a_club")
        found = find_others(driver_connection(connection))
        connection.rollback()

        assert [each.pid for each in found] == [other.info.backend_pid]


def test_a_prepared_transaction_is_in_the_way(club: Club) -> None:
    club.write("member-1", "Joined", {"name": "Alice"})
    gid = uuid4()
    club.execute(f"BEGIN; DELETE FROM snapshots; PREPARE TRANSACTION '{gid}'")
    try:
        with pytest.raises(RewriteRefused, match=f"prepared transaction {gid}"):
            club.rewrite()
    finally:
        # A database that has one cannot be dropped.
        club.execute(f"ROLLBACK PREPARED '{gid}'")
    club.rewrite()


def test_what_is_built_upon_the_log_is_in_the_way(club: Club) -> None:
    club.write("member-1", "Joined", {"name": "Alice"})
    club.execute("CREATE VIEW readmodels.joined AS SELECT type FROM events")
    with pytest.raises(RewriteRefused, match=r"readmodels\.joined would stay with"):
        club.rewrite()


def test_a_log_that_is_not_what_was_sealed_is_copied_only_if_one_says_so(
    club: Club,
) -> None:
    club.write("member-1", "Joined", {"name": "Alice"})
    with club.autocommitting() as connection:
        seal_log(connection)
    club.execute("ALTER TABLE events DISABLE TRIGGER events_refuse_change")
    club.execute("""UPDATE events SET data = '{"name": "Mallory"}'""")
    club.execute("ALTER TABLE events ENABLE ALWAYS TRIGGER events_refuse_change")
    before = club.stored()

    with pytest.raises(RewriteRefused, match=r"position 1, member-1 .*changed"):
        club.rewrite()
    assert club.stored() == before
    club.rewrite(although_changed=True)
    (kept,) = club.kept()
    assert [f.rpartition(":")[2] for f in kept.findings] == [" changed (data)"]


def test_a_copy_that_tells_something_else_does_not_take_the_place(
    club: Club, monkeypatch: pytest.MonkeyPatch
) -> None:
    club.write("member-1", "Joined", {"name": "Alice"})
    club.write("member-1", "Paid", {"amount": 7})
    before = club.stored()
    copy_batch = copying.copy_batch

    def copy_wrong(connection: Any, events: Any, *more: Any) -> None:
        wrong = [e._replace(data=e.data.replace("7", "8")) for e in events]
        copy_batch(connection, wrong, *more)

    monkeypatch.setattr(rewriting, "copy_batch", copy_wrong)
    with pytest.raises(RewriteRefused, match="position 2 reads otherwise in the copy"):
        club.rewrite()

    assert club.stored() == before
    assert club.kept() == []
