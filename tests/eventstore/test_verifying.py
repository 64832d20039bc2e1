"""A sealed past that was changed is found, and what became of it is named rightly."""

from pathlib import Path
from typing import Any

import psycopg
import pytest

from eventstore.errors import UnreadableExport
from eventstore.seals.export import ExportedSeal, export_lines, read_export
from eventstore.seals.seals import begin_chain, find_origin, newest_seals, seal_log
from eventstore.verifying import seals
from eventstore.verifying.checks import count_unsealed
from eventstore.verifying.exported_seals import against_check
from eventstore.verifying.finding import Finding
from eventstore.verifying.seals import SealedExtent, seals_check
from tests.support.engine import Engine
from tests.support.tampering import (
    INSERT,
    Edit,
    Tamperer,
    cut_off,
    rewrite_chain,
    tampering,
)

STREAMS = 12


@pytest.fixture
def history(engine: Engine) -> Engine:
    """Three hundred events of twelve counters, with gaps, sealed in stretches of 40."""
    versions = dict.fromkeys(range(STREAMS), 0)
    for turn in range(100):
        counter = (turn * 7 + turn // 5) % STREAMS
        if turn % 9 == 4:
            with engine.connection.transaction(force_rollback=True):
                engine.append("counter-gone", 1, 2, expected=0)
        engine.append(f"counter-{counter}", 1, 2, 3, expected=versions[counter])
        versions[counter] += 3
    seal_log(engine.connection, stretch=40)
    return engine


def verify(
    connection: psycopg.Connection[Any], vouching: SealedExtent | None = None
) -> list[Finding]:
    check = seals_check(vouching or SealedExtent())
    return list(check.find(connection, lambda _: None))


def against(
    connection: psycopg.Connection[Any], export: list[ExportedSeal]
) -> list[Finding]:
    check = against_check(export, SealedExtent())
    return list(check.find(connection, lambda _: None))


def export(engine: Engine, folder: Path, most: int = 1) -> list[ExportedSeal]:
    """Write the newest seals to a file, as they are now, and read it."""
    origin = find_origin(engine.connection)
    assert origin is not None
    path = folder / "seals.jsonl"
    path.write_text(export_lines(origin, newest_seals(engine.connection, most)))
    return read_export(path)


def names(finding: Finding, edit: Edit) -> bool:
    """Return whether a finding says what was done."""
    told = (finding.what, finding.position, finding.stream_id, finding.version)
    done = (edit.what, edit.position, edit.stream_id, edit.version)
    if edit.what == "changed" and " was " not in edit.detail:
        return told == done and finding.detail == edit.detail
    return told == done and finding.detail.startswith(edit.detail)


def test_a_log_that_nobody_changed_is_vouched_for(history: Engine) -> None:
    vouching = SealedExtent()

    assert verify(history.connection, vouching) == []
    ((last,),) = history.connection.execute("SELECT max(id) FROM events").fetchall()
    assert vouching.up_to == last


# Each kind ten times; the thousand take seven seconds.
@pytest.mark.parametrize(
    ("seed", "edits"), [(1, 110), pytest.param(2, 1_000, marks=pytest.mark.races)]
)
def test_every_edit_of_a_sealed_event_is_found_and_named(
    seed: int, edits: int, history: Engine
) -> None:
    tamperer = Tamperer(history.connection, seed)
    wrong = []
    for number in range(edits):
        with tampering(history.connection):
            edit = tamperer.edit(number)
            findings = verify(history.connection)
        if not findings or not names(findings[0], edit):
            wrong.append((edit, [str(finding) for finding in findings]))

    assert wrong == []
    assert verify(history.connection) == []


@pytest.mark.parametrize("edits", [10, pytest.param(200, marks=pytest.mark.races)])
def test_of_many_edits_the_first_is_named_first(edits: int, history: Engine) -> None:
    """What is vouched for ends before it."""
    for seed in range(edits):
        tamperer = Tamperer(history.connection, seed)
        victims = tamperer.chance.sample(tamperer.events, 9)
        vouching = SealedExtent()
        with tampering(history.connection):
            for kind, victim in zip(tamperer.kinds[1:9], victims, strict=False):
                kind(victim)
            findings = verify(history.connection, vouching)
        first = min(victim.position for victim in victims[:8])

        assert [f.position for f in findings] == sorted(
            victim.position for victim in victims[:8]
        )
        assert vouching.up_to == first - 1


def test_a_dump_and_a_restore_change_nothing(history: Engine) -> None:
    """Its rows as text, and from text again: numbers keep their digits."""
    with tampering(history.connection):
        history.connection.execute(
            """
            CREATE TEMPORARY TABLE dump AS SELECT e::text AS line FROM events AS e;
            DELETE FROM events;
            INSERT INTO events OVERRIDING SYSTEM VALUE
            SELECT (line::events).* FROM dump
            """
        )
        findings = verify(history.connection)

    assert findings == []


SEAL_EDITS = [
    "UPDATE seals SET sealed_at = sealed_at - interval '1 second' WHERE number = 3",
    "UPDATE seals SET hash = sha256('') WHERE number = 3",
    "UPDATE seals SET previous = sha256('') WHERE number = 3",
    "UPDATE seals SET imprint = overlay(imprint PLACING 'x' FROM 50) WHERE number = 3",
    "UPDATE seals SET imprint = '' WHERE number = 3",
    "UPDATE seals SET count = count - 1 WHERE number = 3",
    "UPDATE seals SET up_to = 1000000000 WHERE number = 3",
    "UPDATE seals SET up_to = 9223372036854775807, count = 2147483647 WHERE number = 3",
    "UPDATE seals SET after = after - 1 WHERE number = 3",
    "DELETE FROM seals WHERE number = 3",
]


@pytest.mark.parametrize("edit", SEAL_EDITS)
def test_a_seal_that_was_changed_is_named(edit: str, history: Engine) -> None:
    vouching = SealedExtent()
    ((up_to,),) = history.connection.execute(
        "SELECT up_to FROM seals WHERE number = 2"
    ).fetchall()
    with tampering(history.connection):
        history.connection.execute(edit)
        findings = verify(history.connection, vouching)

    assert [finding.seal for finding in findings] == [3]
    assert vouching.up_to == up_to


ODD_CHAINS = {
    "the first is missing": ("DELETE FROM seals WHERE number = 0", 0),
    "another beginning": (
        "UPDATE seals SET imprint = uuid_send(gen_random_uuid()) WHERE number = 0",
        0,
    ),
    "all are missing": ("DELETE FROM seals", None),
    "the newest are missing": ("DELETE FROM seals WHERE number > 4", None),
}


@pytest.mark.parametrize("chain", ODD_CHAINS)
def test_a_chain_without_beginning_or_end_is_found(chain: str, history: Engine) -> None:
    edit, seal = ODD_CHAINS[chain]
    with tampering(history.connection):
        history.connection.execute(edit)
        findings = verify(history.connection)

    assert [finding.seal for finding in findings] == [seal]


def test_a_seal_with_a_right_hash_over_what_is_no_imprint_is_named(
    history: Engine,
) -> None:
    with tampering(history.connection):
        history.connection.execute(
            """
            UPDATE seals SET imprint = 'x', hash = seal_hash(
                number, after, up_to, count, previous, sealed_at, 'x'
            )
            WHERE number = (SELECT max(number) FROM seals)
            """
        )
        findings = verify(history.connection)

    assert [(f.what, f.detail) for f in findings] == [
        ("changed", "not the form of an imprint")
    ]


@pytest.mark.parametrize("number", [1, 4, 7])
def test_a_chain_that_was_rewritten_is_found_by_an_older_export(
    number: int, history: Engine, tmp_path: Path
) -> None:
    kept = export(history, tmp_path, 5)
    with tampering(history.connection):
        history.connection.execute(
            "UPDATE events SET data = '{\"amount\": 9}' WHERE id ="
            " (SELECT after + 5 FROM seals WHERE number = %s)",
            (number,),
        )
        rewrite_chain(history.connection, number)
        by_itself = verify(history.connection)
        findings = against(history.connection, kept)

    # It is right in itself: only what was kept elsewhere tells.
    assert by_itself == []
    assert [f.seal for f in findings] == [max(number, kept[0].number)]
    assert "rewritten" in findings[0].what


@pytest.mark.parametrize("number", [1, 4, 8])
def test_an_end_that_was_cut_off_is_found_by_an_older_export(
    number: int, history: Engine, tmp_path: Path
) -> None:
    kept = export(history, tmp_path, 3)
    with tampering(history.connection):
        cut_off(history.connection, number)
        by_itself = verify(history.connection)
        findings = against(history.connection, kept)

    assert by_itself == []
    assert [f.seal for f in findings] == [max(number, kept[0].number)]
    assert "cut off" in findings[0].what


@pytest.mark.races
def test_whatever_is_rewritten_or_cut_off_by_chance_is_found(
    history: Engine, tmp_path: Path
) -> None:
    kept = export(history, tmp_path)
    tamperer = Tamperer(history.connection, 3)
    missed = []
    for turn in range(200):
        number = tamperer.chance.randint(1, kept[0].number)
        with tampering(history.connection):
            edit = tamperer.edit(turn)
            (cut_off if turn % 2 else rewrite_chain)(history.connection, number)
            # An edit of what stands before the rewritten part shows by itself.
            if not verify(history.connection) and not against(history.connection, kept):
                missed.append((edit, number))

    assert missed == []


def test_the_export_of_another_log_is_told_as_such(
    history: Engine, tmp_path: Path
) -> None:
    kept = export(history, tmp_path)
    with tampering(history.connection):
        history.connection.execute("DELETE FROM seals")
        seal_log(history.connection)
        findings = against(history.connection, kept)

    assert [f.what.partition(" ")[0] for f in findings] == ["it"]
    assert str(kept[0].log) in findings[0].what


def test_a_copied_log_is_held_against_the_last_seal_of_the_old_one(
    history: Engine, tmp_path: Path
) -> None:
    kept = export(history, tmp_path, 3)
    with tampering(history.connection):
        history.connection.execute("DELETE FROM seals")
        begin_chain(history.connection, bytes.fromhex(kept[-1].hash))
        seal_log(history.connection)

        assert against(history.connection, kept) == []
        assert len(against(history.connection, kept[:-1])) == 1
        assert verify(history.connection) == []


def test_the_chain_as_it_was_exported_contradicts_nothing(
    history: Engine, tmp_path: Path
) -> None:
    kept = export(history, tmp_path, 100)
    history.append("counter-0", 1, expected=len(history.stream("counter-0")))
    seal_log(history.connection)

    assert against(history.connection, kept) == []


BAD_EXPORTS = ["", "{}\n", "hunter2\n", "[1]\n", "\xff"]


@pytest.mark.parametrize("content", BAD_EXPORTS)
def test_a_file_that_is_no_export_is_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "seals.jsonl"
    path.write_bytes(content.encode("latin-1"))

    with pytest.raises(UnreadableExport, match=r"seals\.jsonl"):
        read_export(path)


def test_what_is_not_sealed_yet_is_counted_and_not_vouched_for(
    history: Engine,
) -> None:
    vouching = SealedExtent()
    positions = history.append("counter-new", 1, 2, expected=0)

    assert verify(history.connection, vouching) == []
    assert vouching.up_to == positions[0] - 1
    unsealed = count_unsealed(history.connection)
    assert (unsealed.after, unsealed.count) == (positions[0] - 1, 2)


def test_an_event_that_was_changed_before_it_was_sealed_is_sealed_so(
    engine: Engine,
) -> None:
    """The window is told in docs/seals.md."""
    engine.append("counter-clock", 1, expected=0)
    with tampering(engine.connection):
        engine.connection.execute("UPDATE events SET data = '{}'")
        seal_log(engine.connection)

        assert verify(engine.connection) == []


EDGES = [0, -1, -(2**63) + 1, -(2**63), 2**63 - 1]


@pytest.mark.parametrize("position", EDGES)
def test_an_event_where_no_append_puts_one_is_named(
    position: int, history: Engine
) -> None:
    with tampering(history.connection):
        history.connection.execute(INSERT, (position, "counter-forged", 1))
        findings = verify(history.connection)

    assert [(f.what, f.position) for f in findings] == [("put in", position)]


def test_a_function_that_somebody_replaced_is_not_asked(history: Engine) -> None:
    """Who may change events may also make `imprint` say what was sealed."""
    with tampering(history.connection):
        history.connection.execute(
            """
            CREATE OR REPLACE FUNCTION public.imprint(
                after bigint, up_to bigint, most integer,
                OUT count integer, OUT last_id bigint, OUT imprint bytea
            )
            LANGUAGE sql STABLE AS $$
                SELECT s.count, s.up_to, s.imprint FROM public.seals AS s
                WHERE s.after = imprint.after
            $$;
            CREATE FUNCTION public.sha256(bytea) RETURNS bytea LANGUAGE sql AS
                'SELECT ''x''::bytea';
            SET LOCAL search_path = public, pg_catalog;
            DELETE FROM events WHERE id = 9
            """
        )
        findings = verify(history.connection)

    assert [(f.what, f.position) for f in findings] == [("missing", 9)]


def test_more_events_than_a_stretch_may_have_are_named_as_put_in(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those behind them were not read, and are not called missing."""
    monkeypatch.setattr(seals, "MAX_EVENTS_OF_A_SEAL", 10)
    engine.append("counter-clock", 1, 2, expected=0)
    with engine.connection.transaction(force_rollback=True):
        engine.append("counter-gone", *range(1, 31), expected=0)
    engine.append("counter-clock", 3, expected=2)
    seal_log(engine.connection)
    with tampering(engine.connection):
        for position in range(4, 30):
            engine.connection.execute(INSERT, (position, f"counter-{position}", 1))
        findings = verify(engine.connection)

    assert {finding.what for finding in findings} == {"put in"}


def test_reading_page_by_page_finds_the_same(
    history: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seals, "PAGE", 1)
    with tampering(history.connection):
        history.connection.execute("DELETE FROM events WHERE id IN (7, 150, 280)")
        done: list[int] = []
        check = seals_check(SealedExtent())
        findings = list(check.find(history.connection, done.append))

        assert [finding.position for finding in findings] == [7, 150, 280]
        assert sum(done) == check.length(history.connection)


def test_verifying_waits_for_nobody_and_takes_appends_for_no_fault(
    history: Engine,
) -> None:
    writer = history.connect(autocommit=False)
    writer.execute(
        "INSERT INTO events (stream_id, type, version, data, metadata, occurred_at)"
        " VALUES ('counter-slow', 'Added', 1, '{}', '{}', now())"
    )
    history.append("counter-new", 1, expected=0)

    assert verify(history.connection) == []
    writer.commit()
    assert verify(history.connection) == []
