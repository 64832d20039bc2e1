"""The log is copied into the shapes of today; what it tells stays the same."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID, uuid4

import msgspec
import psycopg
import pytest
import sqlalchemy as sa

from eventstore.connection import driver_connection
from eventstore.decider import Decider, Deciders
from eventstore.errors import NoSuchKeptLog, RewriteRefused
from eventstore.log.append import ANY_VERSION, append
from eventstore.log.codec import EventCodec
from eventstore.log.events import Metadata, NewEvent, RecordedEvent
from eventstore.log.read import read_all, read_stream, settled
from eventstore.log.seals import find_origin, newest_seals, seal_log
from eventstore.log.upcasting import Shaped
from eventstore.personal.box import FORGOTTEN, PERSONAL
from eventstore.personal.keyring import Keyring
from eventstore.personal.keys import MasterKeys
from eventstore.rewriting import copying
from eventstore.rewriting import rewrite as rewriting
from eventstore.rewriting.in_the_way import find_others
from eventstore.rewriting.kept import drop_kept, find_kept
from eventstore.rewriting.rewrite import Rewritten, rehearse, rewrite
from eventstore.verifying.checks import all_checks
from eventstore.verifying.sealed import Vouching

MASTERS = MasterKeys(b"m" * 32)
MONDAY = datetime(2016, 11, 21, 9, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """A member of a club; version 1 had no level."""

    schema_version: ClassVar[str] = "2.0"

    name: str = field(metadata={"personal": True})
    level: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    hours: int


def split(data: dict[str, Any]) -> Sequence[Shaped]:
    """A month was what was paid and what was trained, and of an empty one nothing."""
    parts = (("Paid", "amount"), ("Trained", "hours"))
    return [Shaped(type_, 1, {n: data[n]}) for type_, n in parts if data[n]]


@dataclass(frozen=True, slots=True)
class Member:
    paid: int = 0
    hours: int = 0


def evolve(member: Member, event: Any) -> Member:
    match event:
        case Paid(amount=amount):
            return replace(member, paid=member.paid + amount)
        case Trained(hours=hours):
            return replace(member, hours=member.hours + hours)
        case _:
            return member


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    member: str
    name: str = field(metadata={"personal": True})


MEMBERS = Decider(
    category="member",
    initial=Member(),
    decide=lambda member, command: [],
    evolve=evolve,
    events=EventCodec(
        [Joined, Paid, Trained],
        {
            ("Joined", 1): lambda data: {**data, "level": 0},
            ("Month", 1): split,
        },
    ),
    commands=[Join],
    rejection=ValueError,
    invalid=msgspec.ValidationError,
    read_command=lambda kind, data: msgspec.convert(data, kind),
    identity="member",
)
DECIDERS = Deciders([MEMBERS], MASTERS)


class Club:
    """A log with old events of members, on a connection of its own."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine

    def write(self, stream_id: str, type_: str, data: Mapping[str, Any]) -> UUID:
        """Append an event as ten years ago, of a command; return that one's id."""
        command_id = uuid4()
        event = NewEvent(
            type=type_,
            data=json.dumps(data),
            metadata=Metadata(
                event_id=uuid4(),
                correlation_id=command_id,
                causation_id=command_id,
                command_id=command_id,
                schema="1.0",
            ),
            occurred_at=MONDAY,
        )
        with self.engine.begin() as connection:
            (appended,) = append(
                driver_connection(connection),
                [(stream_id, event)],
                expected={stream_id: ANY_VERSION},
            )
            connection.execute(
                sa.text(
                    """
                    INSERT INTO commands (
                        id, stream_id, type, data, metadata, principal, fingerprint,
                        status, position
                    ) VALUES (
                        :id, :stream_id, 'Join', :data, '{}', 'staff', '', 'succeeded',
                        :position
                    )
                    """
                ),
                {
                    "id": command_id,
                    "stream_id": stream_id,
                    "data": json.dumps({"member": "1", "name": "Alice"}),
                    "position": appended.position,
                },
            )
        return command_id

    def rewrite(
        self, deciders: Deciders = DECIDERS, *, although_changed: bool = False
    ) -> Rewritten:
        with self.engine.begin() as connection:
            return rewrite(
                connection, deciders, silent, although_changed=although_changed
            )

    def read(self, deciders: Deciders = DECIDERS) -> list[RecordedEvent]:
        """Return the log, with what is personal in it."""
        with self.autocommitting() as connection:
            events = read_all(connection, after=0, up_to=10_000, limit=10_000)
            return list(Keyring(connection, deciders.masters).open_events(events))

    def stored(self) -> list[RecordedEvent]:
        with self.autocommitting() as connection:
            return read_all(connection, after=0, up_to=10_000, limit=10_000)

    def autocommitting(self) -> Any:
        url = self.engine.url.set(drivername="postgresql")
        return psycopg.connect(
            url.render_as_string(hide_password=False), autocommit=True
        )

    def execute(self, query: str) -> list[Any]:
        with self.autocommitting() as connection:
            cursor = connection.execute(query)
            return cursor.fetchall() if cursor.description else []


def silent(label: str, length: int) -> Any:
    return nullcontext(lambda _: None)


@pytest.fixture
def club(database: str) -> Iterator[Club]:
    # No connection stays: whoever is connected is in the way of a rewrite.
    engine = sa.create_engine(database, poolclass=sa.NullPool)
    yield Club(engine)
    engine.dispose()


def facts(events: Sequence[RecordedEvent]) -> list[tuple[str, int, int, Any]]:
    return [
        (e.stream_id, e.version, e.position, fact)
        for e in events
        for fact in MEMBERS.events.read(e)
    ]


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
    rewritten = club.rewrite(Deciders([MEMBERS]))

    assert json.loads(club.stored()[0].data) == {"name": "Alice", "level": 0}
    assert rewritten.commands == 0


def test_an_encrypted_event_is_lifted_and_closed_again(club: Club) -> None:
    club.write("member-1", "Joined", {"name": "Alice"})
    club.rewrite()
    newer = replace(
        MEMBERS,
        events=EventCodec(
            [type("Joined", (Joined,), {"schema_version": "3.0"}), Paid, Trained],
            {
                ("Joined", 1): lambda data: data,
                ("Joined", 2): lambda data: {**data, "name": data["name"].upper()},
                ("Month", 1): split,
            },
        ),
    )
    club.rewrite(Deciders([newer], MASTERS))

    assert "ALICE" not in club.stored()[0].data
    assert json.loads(club.read()[0].data)["name"] == "ALICE"
    assert [log.name for log in find_kept_of(club)] == ["log_before_1", "log_before_2"]


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedFromATown(Joined):
    """A member of a club, as a later version has it: where they live is personal."""

    schema_version: ClassVar[str] = "2.1"

    town: str = field(default="", metadata={"personal": True})


JoinedFromATown.__name__ = "Joined"
LATER = Deciders(
    [
        replace(
            MEMBERS,
            events=EventCodec(
                [JoinedFromATown, Paid, Trained],
                {
                    ("Joined", 1): lambda data: {**data, "level": 0},
                    ("Month", 1): split,
                },
            ),
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


def find_kept_of(club: Club) -> list[Any]:
    with club.autocommitting() as connection:
        return find_kept(connection)


@pytest.fixture
def months(club: Club) -> Club:
    """Four months of two members, of which one becomes two events and one none."""
    club.write("member-1", "Month", {"amount": 5, "hours": 9})
    club.write("member-2", "Paid", {"amount": 1})
    club.write("member-1", "Month", {"amount": 0, "hours": 0})
    club.write("member-1", "Month", {"amount": 6, "hours": 0})
    return club


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


def test_a_command_that_expects_a_version_which_changes_is_in_the_way(
    months: Club,
) -> None:
    months.execute(
        "UPDATE commands SET status = 'accepted', expected_version = 3, position = NULL"
        " WHERE seq = 4"
    )

    with pytest.raises(RewriteRefused, match="1 commands wait that expect a version"):
        months.rewrite()


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
        for check in all_checks(DECIDERS, Vouching(), is_all=True):
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
    (kept,) = find_kept_of(months)
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
    with club.engine.begin() as connection:
        rewrite(connection, DECIDERS, silent)
        locks = connection.scalar(
            sa.text(
                "SELECT count(*) FROM pg_locks"
                " WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
            )
        )

    assert locks == 0


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
    (kept,) = find_kept_of(club)
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
    assert find_kept_of(club) == []


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
