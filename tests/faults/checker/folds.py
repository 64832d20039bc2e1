"""The read models, folded from all events by SQL of our own."""

from typing import Any, LiteralString

import psycopg

from tests.faults.checker import folds_of_money, folds_of_orders
from tests.faults.checker.looking import Look, look
from tests.faults.checker.verdict import Verdict

FOLDS = {**folds_of_orders.FOLDS, **folds_of_money.FOLDS}
"""By read model, its key, the rows as they should be, and as they are shown."""


def invariant_of(read_model: str) -> str:
    return f"the read model {read_model} is a fold of all events"


def comparing(key: LiteralString, folded: LiteralString, shown: LiteralString) -> Any:
    """Return the query that sets what was folded beside what is shown."""
    return (
        f"SELECT coalesce(folded.{key}, shown.{key})::text,"
        f" folded IS DISTINCT FROM shown"
        f" FROM ({folded}) AS folded FULL JOIN ({shown}) AS shown"
        f" ON folded.{key} = shown.{key}"
    )


def check_read_models(connection: psycopg.Connection[Any], verdict: Verdict) -> None:
    """Compare the read models that are there, row by row."""
    there = {
        name
        for (name,) in connection.execute(
            "SELECT viewname FROM pg_views WHERE schemaname = 'readmodels'"
        )
    }
    looks = [
        Look(invariant_of(name), comparing(*fold))
        for name, fold in FOLDS.items()
        if name in there
    ]
    look(connection, looks, verdict)
