"""What a rebuild has filled is kept where the next one can go on with it."""

import pytest

from eventstore.errors import RebuildFailed
from eventstore.errors.rebuilding import RowsDiffer, RowsNotCompared
from eventstore.projections.generations import live_generations
from eventstore.projections.parking import Parker
from eventstore.rebuilding import comparing
from eventstore.rebuilding.filling import filling_of, read_up_to
from eventstore.rebuilding.fillings import find_fillings
from eventstore.rebuilding.parts import Part
from eventstore.rebuilding.progress import Progress
from eventstore.rebuilding.rebuild import rebuild
from tests.support.engine import Engine
from tests.support.rebuilt_counters import (
    COUNTERS,
    change_code,
    corrupt,
    counted,
    keep_up,
    rows,
    tables,
    write,
)
from tests.support.totals import totals


@pytest.fixture
def read_model(engine: Engine) -> Engine:
    """The engine with a read model of ten counters, up to date."""
    return counted(engine)


def test_what_was_refused_is_kept_and_goes_on_at_once_when_it_is_accepted(
    read_model: Engine,
) -> None:
    corrupt(read_model)
    with pytest.raises(RowsDiffer):
        rebuild(read_model.connection, totals, accept_differences=2)
    assert tables(read_model) == ["totals_g1", "totals_g2"]
    [kept] = find_fillings(read_model.connection)
    write(read_model, ("late", 1))
    keep_up(read_model)
    said: list[str] = []
    rebuilt = rebuild(
        read_model.connection, totals, accept_differences=3, say=said.append
    )

    assert (kept.generation, kept.differing, kept.is_tended) == (2, 3, False)
    assert said == ["it goes on at position 10"]
    assert rebuilt.generation == 2
    assert rows(read_model) == [
        *((f"c{n}", n + 20) for n in range(COUNTERS)),
        ("late", 1),
    ]
    assert find_fillings(read_model.connection) == []


def test_a_dry_run_ends_with_the_report_and_leaves_nothing(read_model: Engine) -> None:
    corrupt(read_model)
    before = rows(read_model)
    done = rebuild(read_model.connection, totals, is_dry_run=True)

    assert not done.is_live
    assert done.comparison is not None
    assert done.comparison.differing == 3
    assert rows(read_model) == before
    assert tables(read_model) == ["totals_g1"]
    names = read_model.connection.execute("SELECT name FROM subscriptions").fetchall()
    assert ("totals_g2",) not in names


def test_a_dry_run_keeps_what_an_earlier_one_has_promised_to_keep(
    read_model: Engine,
) -> None:
    corrupt(read_model)
    with pytest.raises(RowsDiffer):
        rebuild(read_model.connection, totals)
    done = rebuild(read_model.connection, totals, is_dry_run=True)
    said: list[str] = []
    rebuild(read_model.connection, totals, accept_differences=3, say=said.append)

    assert done.is_kept
    assert said == ["it goes on at position 10"]


def test_live_rows_that_stand_still_behind_the_new_ones_keep_what_was_filled(
    read_model: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing, "SECONDS_TO_WAIT", 0.0)
    write(read_model, ("c1", 1))

    def overtake(progress: Progress) -> None:
        """Have the new rows read what the live ones have not."""
        if progress.phase == "comparing":
            part = filling_of(Part(totals, 2))
            read_up_to(read_model.connect(), part, COUNTERS + 1, lambda _: None)

    with pytest.raises(RowsNotCompared, match="the live rows stand still at 10"):
        rebuild(read_model.connection, totals, show=overtake)
    assert tables(read_model) == ["totals_g1", "totals_g2"]
    keep_up(read_model)
    said: list[str] = []
    rebuild(read_model.connection, totals, say=said.append)

    assert said == ["it goes on at position 11"]


def test_an_error_behind_the_swap_does_not_drop_what_is_live(
    read_model: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("too late")

    monkeypatch.setattr("eventstore.rebuilding.course.drop_old", fail)
    with pytest.raises(RuntimeError, match="too late"):
        rebuild(read_model.connection, totals)

    assert live_generations(read_model.connection)["totals"].number == 2
    assert len(rows(read_model)) == COUNTERS


def test_an_interrupted_rebuild_keeps_what_it_has(read_model: Engine) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.phase == "comparing":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rebuild(read_model.connection, totals, show=interrupt)
    said: list[str] = []
    rebuild(read_model.connection, totals, say=said.append)

    assert said == ["it goes on at position 10"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("UPDATE fillings SET fold_version = 'x'", "it was filled by other code"),
        ("UPDATE fillings SET fold_version = NULL", "it was filled by other code"),
        ("UPDATE fillings SET shape = 'x'", "it was of another definition"),
        ("UPDATE fillings SET parts = 2", "2 processes"),
        ("DELETE FROM fillings", "nobody knows"),
        ("DELETE FROM subscriptions WHERE name = 'totals_g2'", "taken away"),
        ("DROP TABLE readmodels.totals_g2", "its tables were dropped"),
    ],
)
def test_a_filling_of_other_code_is_begun_again_and_it_says_why(
    read_model: Engine, change: str, reason: str
) -> None:
    def interrupt(_: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rebuild(read_model.connection, totals, show=interrupt)
    read_model.connection.execute(change)
    if "fillings" in change:
        # Those of the live rows are as they were.
        change_code(read_model)
    said: list[str] = []
    rebuilt = rebuild(
        read_model.connection, totals, say=said.append, accept_differences=None
    )

    assert rebuilt.generation == 2
    assert len(said) == 1
    assert "is not gone on with" in said[0]
    assert reason in said[0]


def test_several_processes_park_nothing(read_model: Engine) -> None:
    with pytest.raises(ValueError, match="processes must be 1"):
        rebuild(read_model.connection, totals, parker=Parker(), processes=2)


@pytest.mark.parametrize("count", [2, 3])
def test_several_processes_make_the_same_rows(read_model: Engine, count: int) -> None:
    before = rows(read_model)
    progress: list[Progress] = []
    rebuilt = rebuild(
        read_model.connection, totals, processes=count, show=progress.append
    )

    assert rebuilt.comparison is not None
    assert rebuilt.comparison.differing == 0
    assert rows(read_model) == before
    names = read_model.connection.execute("SELECT name FROM subscriptions").fetchall()
    assert [name for (name,) in names if "_p" in name] == []
    assert progress[-1].done == progress[-1].total == COUNTERS


def test_what_several_have_filled_goes_on_with_any_number(
    read_model: Engine,
) -> None:
    corrupt(read_model)
    for count, again in ((2, 2), (2, 1), (1, 2)):
        with pytest.raises(RowsDiffer):
            rebuild(read_model.connection, totals, processes=count)
        said: list[str] = []
        with pytest.raises(RowsDiffer):
            rebuild(read_model.connection, totals, processes=again, say=said.append)
        assert said == ["it goes on at position 10"]


@pytest.mark.parametrize("again", [1, 2])
def test_what_several_have_filled_is_kept_where_a_second_run_is_killed(
    read_model: Engine, again: int
) -> None:
    corrupt(read_model)
    with pytest.raises(RowsDiffer):
        rebuild(read_model.connection, totals, processes=2)
    shown: list[Progress] = []

    def interrupt(progress: Progress) -> None:
        # By then it has noted where it is.
        shown.append(progress)
        if len(shown) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rebuild(read_model.connection, totals, processes=again, show=interrupt)
    said: list[str] = []
    with pytest.raises(RowsDiffer):
        rebuild(read_model.connection, totals, processes=2, say=said.append)

    assert said == ["it goes on at position 10"]


def test_one_process_that_fails_ends_the_others_and_says_why(
    read_model: Engine,
) -> None:
    write(read_model, ("bad", 13))
    before = rows(read_model)
    with pytest.raises(RebuildFailed, match="event at 11: ValueError: thirteen"):
        rebuild(read_model.connection, totals, processes=2)

    assert rows(read_model) == before
    assert tables(read_model) == ["totals_g1"]
