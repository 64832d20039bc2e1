"""Invariants that one look at the tables tells, as SQL."""

from collections.abc import Iterable
from typing import Any, LiteralString, NamedTuple

import psycopg

from tests.faults.checker.verdict import Verdict


class Look(NamedTuple):
    """
    An invariant, and a query for all that it is about.

    The query returns for each thing its name and whether it breaks the invariant. What
    is NULL there breaks it: it could not be told.
    """

    invariant: str
    query: LiteralString


def look(
    connection: psycopg.Connection[Any], looks: Iterable[Look], verdict: Verdict
) -> None:
    """Note in *verdict* what each look finds."""
    for invariant, query in looks:
        row = connection.execute(
            f"""
            SELECT
                count(*),
                array_agg(name ORDER BY name) FILTER (WHERE is_broken IS NOT FALSE)
            FROM ({query}) AS looked_at (name, is_broken)
            """
        ).fetchone()
        assert row is not None
        looked_at, cases = row
        verdict.note(invariant, looked_at, cases or ())
