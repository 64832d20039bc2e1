"""Parked streams are tried once more: their rows are made from their first event on."""

import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from typing import Any

import pytest

from eventstore.errors import CannotProject, RebuildFailed
from eventstore.log.append import ANY_VERSION, append
from eventstore.projections.parked_streams import drop_parked, find_parked
from eventstore.projections.parking import Parker
from eventstore.projections.projection import Fact, LookedUp, Projection
from eventstore.rebuilding.retrying import CHUNK, RetryResult, retry_parked
from eventstore.subscriptions.catch_up import catch_up
from tests.support.engine import Engine, added
from tests.support.shared_passes import fail_at_13, folded, made, plain, rows


def named(fold: Any) -> Projection:
    """Return a read model that names the streams of its rows."""
    return replace(plain("bad", fold), streams={"counter": "counter"})


def write(engine: Engine, *amounts: tuple[str, int]) -> None:
    streams = [f"counter-{name}" for name, _ in amounts]
    append(
        engine.connection,
        [(f"counter-{name}", added(amount)) for name, amount in amounts],
        expected=dict.fromkeys(streams, ANY_VERSION),
    )


def follow(engine: Engine, projection: Projection) -> None:
    catch_up(engine.connection, Parker().subscription_of(projection, 1))


def park_some(engine: Engine, projection: Projection, bad: int) -> None:
    """Have *bad* streams parked, among three times as many."""
    made(engine, projection)
    for start in range(0, bad * 3, 300):
        names = range(start, min(start + 300, bad * 3))
        write(engine, *[(f"n{n}", 1) for n in names])
        write(engine, *[(f"n{n}", 13 if n % 3 == 0 else 2) for n in names])
    follow(engine, projection)
    write(engine, ("n0", 4), ("n1", 4))
    follow(engine, projection)
    assert len(find_parked(engine.connection)) == bad


def totals(engine: Engine) -> dict[str, int]:
    return {counter: total for counter, total, *_ in rows(engine, "bad")}


def test_mended_streams_have_all_that_was_passed_over(engine: Engine) -> None:
    park_some(engine, named(fail_at_13), 4)

    assert retry_parked(engine.connection, named(folded)) == RetryResult(4, 0)
    assert find_parked(engine.connection) == []
    assert totals(engine) == {
        "n0": 18,
        "n1": 7,
        **{f"n{n}": 14 if n % 3 == 0 else 3 for n in range(2, 12)},
    }
    write(engine, ("n0", 1))
    follow(engine, named(folded))
    assert totals(engine)["n0"] == 19


def test_what_fails_once_more_stays_parked_since_when_it_was(engine: Engine) -> None:
    def only_n0_is_mended(row: Any, fact: Fact, looked_up: LookedUp) -> Any:
        fold = folded if fact.subject == "n0" else fail_at_13
        return fold(row, fact, looked_up)

    park_some(engine, named(fail_at_13), 4)
    before = {p.stream_id: p for p in find_parked(engine.connection)}

    done = retry_parked(engine.connection, named(only_n0_is_mended))

    assert done == RetryResult(1, 3)
    after = {p.stream_id: p for p in find_parked(engine.connection)}
    assert after == {
        s: p._replace(attempts=2) for s, p in before.items() if s != "counter-n0"
    }
    assert (totals(engine)["n0"], totals(engine)["n3"]) == (18, 1)


def test_only_the_named_are_tried_and_none_that_was_dropped(engine: Engine) -> None:
    park_some(engine, named(fail_at_13), 4)
    connection = engine.connection
    assert drop_parked(connection, "bad", ["counter-n3"]) == 1

    assert retry_parked(connection, named(folded), streams=["counter-n0"]).mended == 1
    assert retry_parked(connection, named(folded)).mended == 2
    [dropped] = find_parked(connection)
    assert dropped.stream_id == "counter-n3"
    assert retry_parked(connection, named(folded), streams=["counter-n3"]).mended == 1


def test_where_others_fail_too_nothing_is_changed(engine: Engine) -> None:
    """The row that is made belongs to another stream, which fails as well."""

    def broken(row: Any, fact: Fact, looked_up: LookedUp) -> Any:
        raise ValueError("broken")

    park_some(engine, named(fail_at_13), 4)
    before = (totals(engine), find_parked(engine.connection))
    all_in_one = replace(named(broken), key_of=lambda fact, _: "n1")

    with pytest.raises(CannotProject, match="broken"):
        retry_parked(engine.connection, all_in_one, streams=["counter-n0"])

    assert (totals(engine), find_parked(engine.connection)) == before


def test_a_row_that_the_database_does_not_take_stays_parked_alone(
    engine: Engine,
) -> None:
    def huge(row: Any, fact: Fact, looked_up: LookedUp) -> Any:
        new = folded(row, fact, looked_up)
        is_huge = fact.subject == "n6" and fact.event.amount == 13
        return replace(new, total=2**63) if is_huge else new

    park_some(engine, named(fail_at_13), 5)

    assert retry_parked(engine.connection, named(huge)) == RetryResult(4, 1)
    [left] = find_parked(engine.connection)
    assert (left.stream_id, left.error) == ("counter-n6", "NumericValueOutOfRange")


def test_a_read_model_that_names_no_streams_is_rebuilt(engine: Engine) -> None:
    park_some(engine, plain("bad", fail_at_13), 4)
    with pytest.raises(RebuildFailed):
        retry_parked(engine.connection, plain("bad", fail_at_13))
    assert len(find_parked(engine.connection)) == 4

    assert retry_parked(engine.connection, plain("bad", folded)) == RetryResult(4, 0)
    assert totals(engine)["n0"] == 18


KILLED = """
    import os, sys
    from tests.eventstore.test_retrying import named
    from tests.support.engine import open_engine
    from tests.support.shared_passes import folded
    from eventstore.rebuilding.retrying import retry_parked

    def show(done, wanted):
        print(done.mended, wanted, flush=True)
        os.kill(os.getpid(), 9)

    retry_parked(open_engine(sys.argv[1]).connection, named(folded), show=show)
"""


def test_a_retry_that_is_killed_keeps_what_it_has_mended(engine: Engine) -> None:
    park_some(engine, named(fail_at_13), CHUNK * 2 + 10)
    code = [sys.executable, "-c", textwrap.dedent(KILLED), engine.url]
    for left in (CHUNK + 10, 10):
        run = subprocess.run(code, check=False, timeout=60, capture_output=True)
        assert (run.returncode, len(find_parked(engine.connection))) == (
            -signal.SIGKILL,
            left,
        )
    assert retry_parked(engine.connection, named(folded)) == RetryResult(10, 0)
    assert totals(engine)["n627"] == 14
