"""Ten counters whose read model is rebuilt, and what can be wrong with its rows."""

from collections.abc import Sequence
from typing import Any

import psycopg

from eventstore.log.append import ANY_VERSION, append
from eventstore.projections.generations import ensure_generation, live_generations
from eventstore.projections.project import subscription_of
from eventstore.subscriptions.catch_up import catch_up
from tests.support.engine import Engine, added
from tests.support.totals import totals

COUNTERS = 10


def write(engine: Engine, *amounts: tuple[str, int]) -> None:
    append(
        engine.connection,
        [(f"counter-{name}", added(amount)) for name, amount in amounts],
        expected=dict.fromkeys((f"counter-{name}" for name, _ in amounts), ANY_VERSION),
    )


def keep_up(engine: Engine, connection: psycopg.Connection[Any] | None = None) -> None:
    live = live_generations(connection or engine.connection)["totals"]
    catch_up(connection or engine.connection, subscription_of(totals, live.number))


def rows(engine: Engine) -> Sequence[tuple[Any, ...]]:
    query = "SELECT counter, total FROM readmodels.totals ORDER BY counter"
    return engine.connection.execute(query).fetchall()


def tables(engine: Engine) -> list[str]:
    return [
        name
        for (name,) in engine.connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'readmodels' ORDER BY 1"
        )
    ]


def corrupt(engine: Engine) -> None:
    """Change a row of the live generation, drop one, and plant one."""
    engine.connection.execute(
        """
        UPDATE readmodels.totals_g1 SET total = total + 1 WHERE counter = 'c3';
        DELETE FROM readmodels.totals_g1 WHERE counter = 'c4';
        INSERT INTO readmodels.totals_g1 VALUES ('nobody', 1);
        """
    )


def change_code(engine: Engine, version: str | None = "of other code") -> None:
    """Have the live rows filled by other code than what runs now."""
    engine.connection.execute(
        "UPDATE fillings SET fold_version = %s WHERE generation = 'totals_g1'",
        (version,),
    )


def counted(engine: Engine) -> Engine:
    """Return the engine with a read model of ten counters, up to date."""
    ensure_generation(engine.pool, totals)
    write(engine, *((f"c{n}", n + 20) for n in range(COUNTERS)))
    keep_up(engine)
    return engine
