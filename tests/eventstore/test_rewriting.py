"""The log is copied into the shapes of today; what it tells stays the same."""

import json
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import psycopg
import pytest
import sqlalchemy as sa

from eventstore.aggregates.decider import Deciders
from eventstore.encryption.envelope import FORGOTTEN, PERSONAL
from eventstore.errors import NoSuchKeptLog
from eventstore.log.codec import EventCodec
from eventstore.log.events import RecordedEvent
from eventstore.log.read import read_stream, settled
from eventstore.rewriting.archived_logs import drop_kept, find_kept
from eventstore.rewriting.rewrite import rehearse, rewrite
from eventstore.rewriting.unencrypted_events import count_unencrypted
from eventstore.seals.seals import find_origin, newest_seals, seal_log
from eventstore.verifying.checks import all_checks
from eventstore.verifying.seals import SealedExtent
from tests.support.club import (
    DECIDERS,
    MASTERS,
    MONDAY,
    Club,
    facts,
    silent,
)
from tests.support.members import MEMBER, UPCASTERS, Join, Joined, Paid, Trained


def test_old_events_become_those_of_today_where_they_stand(club: Club) -> None:
    club.write("member-1", "Joined", {"name": "Alice"})
    club.write("member-1", "Paid", {"amount": 7})
    before = facts(club.read())
    rewritten = club.rewrite()
    joined, paid = club.read()

    assert facts([joined, paid]) == before
    assert json.loads(joined.data) == {"name": "Alice", "level": 0}
    assert json.loads(joined.metadata)["schema"] == "2.0"
    assert joined.occurred_at == MONDAY
    assert [(k.what, k.count) for k in rewritten.kinds] == [
        ("Joined 1.0 becomes Joined 2.0 and is encrypted", 1)
    ]
    assert (rewritten.events, rewritten.has_same_places) == (2, True)


def test_what_is_not_old_stays_what_it_was_byte_for_byte(club: Club) -> None:
    club.write("member-1", "Paid", {"amount": 7, "unknown to any class": "1.50"})
    club.write("stranger-1", "Nobody", {"knows": "this"})
    before = club.stored()
    club.rewrite()

    assert club.stored() == before


def test_what_was_in_the_clear_is_encrypted_also_in_the_journal(club: Club) -> None:
    club.write("member-1", "Joined", {"name": "Alice"})
    rewritten = club.rewrite()
    (stored,) = club.stored()
    ((journal,),) = club.execute("SELECT data::text FROM commands")

    assert "Alice" not in stored.data
    assert PERSONAL in json.loads(stored.data)
    assert json.loads(club.read()[0].data)["name"] == "Alice"
    assert "Alice" not in journal
    assert PERSONAL in json.loads(journal)
    assert rewritten.commands == 1


def test_of_who_was_forgotten_nothing_personal_is_copied(club: Club) -> None:
    club.write("member-1", "Joined", {"name": "Alice"})
    club.execute("SELECT destroy_keys('{member-1}')")
    club.rewrite()
    (stored,) = club.stored()
    ((journal,),) = club.execute("SELECT data::text FROM commands")

    assert json.loads(stored.data) == {"level": 0, FORGOTTEN: True}
    assert "Alice" not in journal
    ((opened,),) = club.execute("SELECT wrapped IS NULL FROM vault.keys LIMIT 1")
    assert opened


def test_without_a_master_key_nothing_is_encrypted(club: Club) -> None:
    club.write("member-1", "Joined", {"name": "Alice"})
    rewritten = club.rewrite(Deciders([MEMBER]))

    assert json.loads(club.stored()[0].data) == {"name": "Alice", "level": 0}
    assert rewritten.commands == 0


def test_an_encrypted_event_is_lifted_and_closed_again(club: Club) -> None:
    club.write("member-1", "Joined", {"name": "Alice"})
    club.rewrite()
    newer = replace(
        MEMBER,
        events=EventCodec(
            [type("Joined", (Joined,), {"schema_version": "3.0"}), Paid, Trained],
            {
                **UPCASTERS,
                ("Joined", 2): lambda data: {**data, "name": data["name"].upper()},
            },
        ),
    )
    club.rewrite(Deciders([newer], MASTERS))

    assert "ALICE" not in club.stored()[0].data
    assert json.loads(club.read()[0].data)["name"] == "ALICE"
    assert [log.name for log in club.kept()] == ["log_before_1", "log_before_2"]


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedFromATown(Joined):
    """A member of a club, as a later version has it: where they live is personal."""

    schema_version: ClassVar[str] = "2.1"

    town: str = field(default="", metadata={"personal": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinFromATown(Join):
    town: str = field(default="", metadata={"personal": True})


JoinedFromATown.__name__, JoinFromATown.__name__ = "Joined", "Join"
LATER = Deciders(
    [
        replace(
            MEMBER,
            events=EventCodec([JoinedFromATown, Paid, Trained], UPCASTERS),
            commands=[JoinFromATown],
        )
    ],
    MASTERS,
)


def test_a_field_that_was_marked_later_is_closed_too(club: Club) -> None:
    club.write("member-1", "Joined", {"name": "Alice", "town": "Rome"})
    club.write("member-2", "Joined", {"name": "Bob", "town": "Oslo"})
    club.rewrite()
    club.execute("SELECT destroy_keys('{member-2}')")
    club.rewrite(LATER)
    stored = "".join(event.data for event in club.stored())
    opened, forgotten = (json.loads(event.data) for event in club.read(LATER))

    assert "Rome" not in stored
    assert "Oslo" not in stored
    assert (opened["name"], opened["town"]) == ("Alice", "Rome")
    assert forgotten == {"level": 0, FORGOTTEN: True}
    with club.engine.connect() as connection:
        assert rehearse(connection, LATER, silent).changed == 0


def test_a_field_of_a_command_that_was_marked_later_is_closed_too(club: Club) -> None:
    for number, town in ((1, "Rome"), (2, "Oslo")):
        command_id = club.write(f"member-{number}", "Paid", {"amount": 1})
        club.execute(
            f"""UPDATE commands SET data = data || '{{"town": "{town}"}}'"""
            f" WHERE id = '{command_id}'"
        )
    club.rewrite()
    club.execute("SELECT destroy_keys('{member-2}')")
    assert club.rewrite(LATER).commands == 2
    read, forgotten = club.commands(LATER)

    assert club.execute("SELECT 1 FROM commands WHERE data::text ~ 'Rome|Oslo'") == []
    assert read == {"member_id": "1", "name": "Alice", "town": "Rome"}
    assert forgotten == {"member_id": "1", FORGOTTEN: True}
    with club.engine.connect() as connection:
        assert rehearse(connection, LATER, silent).commands == 0


def test_who_forgets_is_told_of_what_was_marked_later(club: Club) -> None:
    def clear(deciders: Deciders) -> int:
        with club.engine.connect() as connection:
            return count_unencrypted(connection, ["member-1"], deciders)

    club.write("member-1", "Joined", {"name": "Alice", "town": "Rome"})
    club.write("member-1", "Paid", {"amount": 7})
    assert clear(DECIDERS) == 1
    club.rewrite()
    assert (clear(DECIDERS), clear(LATER)) == (0, 1)
    club.rewrite(LATER)
    assert clear(LATER) == 0


def test_what_is_behind_a_split_event_moves_on_in_the_same_order(months: Club) -> None:
    rewritten = months.rewrite()

    assert facts(months.read()) == [
        ("member-1", 1, 1, Paid(amount=5)),
        ("member-1", 2, 2, Trained(hours=9)),
        ("member-2", 1, 3, Paid(amount=1)),
        ("member-1", 3, 5, Paid(amount=6)),
    ]
    assert not rewritten.has_same_places


def test_the_first_of_a_split_event_keeps_its_id_and_the_others_have_their_own(
    months: Club,
) -> None:
    before = json.loads(months.stored()[0].metadata)["event_id"]
    months.rewrite()
    first, second, *_ = (json.loads(e.metadata)["event_id"] for e in months.stored())

    assert first == before
    assert second not in (first, before)


def test_checkpoints_and_the_journal_go_along(months: Club) -> None:
    months.execute(
        "INSERT INTO subscriptions (name, checkpoint)"
        " VALUES ('at 0', 0), ('at 1', 1), ('at 2', 2), ('at the end', 4)"
    )
    months.rewrite()

    assert dict(
        months.execute("SELECT name, checkpoint FROM subscriptions WHERE name ~ '^at'")
    ) == {"at 0": 0, "at 1": 2, "at 2": 3, "at the end": 5}
    positions = months.execute("SELECT position FROM commands ORDER BY seq")
    assert [p for (p,) in positions] == [2, 3, 2, 5]


def test_a_checkpoint_that_was_of_the_log_is_of_the_new_one(months: Club) -> None:
    """And one that was not does not become so."""
    months.execute(
        """
        INSERT INTO subscriptions (name, checkpoint, event_id)
        SELECT 'right', 2, event_id_at(2) UNION SELECT 'wrong', 1, event_id_at(2)
        UNION SELECT 'right at the end', 4, event_id_at(4)
        """
    )
    months.execute("INSERT INTO process_managers VALUES ('right', 4, event_id_at(4))")
    months.rewrite()

    fault = "checkpoint_fault(checkpoint, event_id) IS NULL"
    assert dict(
        months.execute(
            f"SELECT name, {fault} FROM subscriptions WHERE name ~ '^(right|wrong)'"
        )
    ) == {"right": True, "wrong": False, "right at the end": True}
    acted = "SELECT checkpoint_fault(acted_up_to, event_id) FROM process_managers"
    assert months.execute(f"{acted} WHERE name = 'right'") == [(None,)]


def test_no_process_manager_acts_again_on_what_has_moved(months: Club) -> None:
    months.execute("INSERT INTO process_managers VALUES ('at 1', 1), ('at the end', 4)")
    months.rewrite()

    acted = "SELECT name, acted_up_to FROM process_managers WHERE name ~ '^at'"
    assert dict(months.execute(acted)) == {"at 1": 2, "at the end": 5}


def test_read_models_are_to_be_rebuilt_where_positions_have_moved(months: Club) -> None:
    months.execute("INSERT INTO generations VALUES ('members', 1, 'as it was')")
    months.rewrite()

    shape = "SELECT shape FROM generations WHERE read_model = 'members'"
    assert months.execute(shape) == [(None,)]


def test_where_none_has_moved_they_stay(club: Club) -> None:
    club.write("member-1", "Joined", {"name": "Alice"})
    club.execute("INSERT INTO generations VALUES ('members', 1, 'as it was')")
    club.rewrite()

    shape = "SELECT shape FROM generations WHERE read_model = 'members'"
    assert club.execute(shape) == [("as it was",)]


def test_snapshots_are_dropped(club: Club) -> None:
    club.write("member-1", "Joined", {"name": "Alice"})
    club.execute(
        "INSERT INTO snapshots (stream_id, version, state, fingerprint, checksum)"
        " VALUES ('member-1', 1, '{}', '', '')"
    )
    club.rewrite()

    assert club.execute("SELECT count(*) FROM snapshots") == [(0,)]


def test_the_new_chain_of_seals_names_the_last_of_the_old_one(club: Club) -> None:
    club.write("member-1", "Joined", {"name": "Alice"})
    with club.autocommitting() as connection:
        seal_log(connection)
        (last,) = newest_seals(connection)
    club.rewrite()
    with club.autocommitting() as connection:
        origin = find_origin(connection)
        (newest,) = newest_seals(connection)

    assert origin is not None
    assert origin.previous == last.hash
    assert (newest.number, newest.up_to) == (1, 1)


def test_the_new_log_is_one_in_every_respect(months: Club) -> None:
    months.rewrite()
    months.write("member-2", "Paid", {"amount": 3})
    with months.autocommitting() as connection:
        newest = read_stream(connection, "member-2")[-1]
        assert (newest.version, newest.position) == (2, 6)
        assert settled(connection) == 6
        for change in ("UPDATE events SET type = ''", "TRUNCATE events"):
            with pytest.raises(psycopg.errors.RestrictViolation):
                connection.execute(change)
        for check in all_checks(DECIDERS, SealedExtent(), is_all=True):
            assert list(check.find(connection, lambda _: None)) == []


def schema_of(club: Club) -> set[Any]:
    """Return what PostgreSQL knows of all tables, their constraints and triggers."""
    rows = club.execute(
        """
        SELECT c.relname, c.relkind::text, a.attname,
            concat(a.attidentity, array_to_string(c.relacl, ' ')),
            format_type(a.atttypid, a.atttypmod), a.attnotnull
        FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
        WHERE c.relnamespace = 'public'::regnamespace
        UNION ALL
        SELECT conrelid::regclass::text, contype::text, conname, '',
            pg_get_constraintdef(oid), false
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
        UNION ALL
        SELECT tgrelid::regclass::text, tgenabled::text, tgname, '',
            pg_get_triggerdef(oid), false
        FROM pg_trigger WHERE NOT tgisinternal
            AND tgrelid IN ('events'::regclass, 'seals'::regclass)
        UNION ALL
        SELECT tablename, '', indexname, '', indexdef, false
        FROM pg_indexes WHERE schemaname = 'public'
        """
    )
    return {*rows}


def test_nothing_tells_the_new_tables_from_those_of_the_migrations(club: Club) -> None:
    club.write("member-1", "Joined", {"name": "Alice"})
    before = schema_of(club)
    club.rewrite()

    assert schema_of(club) == before


def test_the_old_log_is_kept_as_it_was_until_it_is_dropped(months: Club) -> None:
    before = months.stored()
    months.rewrite()
    (kept,) = months.kept()
    rows = months.execute(
        "SELECT id, stream_id, type, version, data::text, metadata::text, occurred_at"
        f" FROM {kept.name}.events ORDER BY id"
    )

    assert [RecordedEvent(*row) for row in rows] == before
    assert kept.events == 4
    with months.autocommitting() as connection:
        with pytest.raises(psycopg.errors.RestrictViolation):
            connection.execute(f"DELETE FROM {kept.name}.events")
        drop_kept(connection, kept.name)
        assert find_kept(connection) == []
        with pytest.raises(NoSuchKeptLog):
            drop_kept(connection, kept.name)


def test_readers_do_not_pass_over_what_is_appended_next(months: Club) -> None:
    with months.engine.connect() as connection:
        # Its ids are drawn and never used; readers get as far as behind them.
        connection.exec_driver_sql(
            """
            INSERT INTO events (stream_id, type, version, data, metadata, occurred_at)
            SELECT 'member-9', 'Paid', i, '{}', '{}', now()
            FROM generate_series(1, 7) AS i
            """
        )
        connection.rollback()
    months.execute("INSERT INTO subscriptions (name, checkpoint) SELECT 'x', settled()")
    months.rewrite()
    months.write("member-1", "Paid", {"amount": 1})

    ((checkpoint,),) = months.execute(
        "SELECT checkpoint FROM subscriptions WHERE name = 'x'"
    )
    assert months.stored()[-1].position == checkpoint + 1


def test_it_takes_no_lock_for_each_that_it_encrypts(club: Club) -> None:
    """More than some ten thousand locks no transaction has."""
    club.write("member-1", "Joined", {"name": "Alice"})
    club.be_alone()
    with club.engine.begin() as connection:
        rewrite(connection, DECIDERS, silent)
        locks = connection.scalar(
            sa.text(
                "SELECT count(*) FROM pg_locks"
                " WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
            )
        )

    assert locks == 0


def test_a_rehearsal_tells_what_would_change_and_writes_nothing(months: Club) -> None:
    months.write("member-3", "Joined", {"name": "Alice"})
    before = months.stored()
    with months.engine.connect() as connection:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        rehearsed = rehearse(connection, DECIDERS, silent)

    assert months.stored() == before
    assert [(k.what, k.count, k.position) for k in rehearsed.kinds] == [
        ("Month 1.0 becomes Paid 1.0 and Trained 1.0", 1, 1),
        ("Month 1.0 becomes nothing", 1, 3),
        ("Month 1.0 becomes Paid 1.0", 1, 4),
        ("Joined 1.0 becomes Joined 2.0 and is encrypted", 1, 5),
    ]
    assert (rehearsed.changed, rehearsed.events, rehearsed.commands) == (4, 5, 5)
