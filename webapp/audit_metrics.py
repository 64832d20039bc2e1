"""The metrics of the audit: rows looked at, and rows found wrong."""

from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from eventstore.explaining.audit_records import (
    OF_LOG,
    WalkRecord,
    count_wrong_rows,
    load_walks,
)
from eventstore.explaining.row_audit import TABLE
from eventstore.projections.projection import Projection


def of_audit(
    connection: psycopg.Connection[Any], projections: Sequence[Projection]
) -> Iterator[Metric]:
    """Yield what the audit has done and found, by the names of the *projections*."""
    walks, wrong_rows = load_walks(connection), count_wrong_rows(connection)
    rows = CounterMetricFamily(
        "recount_audited_rows",
        "Rows that were made once more from their events; `*` by streams of the log.",
        labels=["read_model"],
    )
    left_out = GaugeMetricFamily(
        "recount_audit_left_out_rows",
        "Rows that could not be made once more, in the present round.",
        labels=["read_model"],
    )
    wrong = GaugeMetricFamily(
        "recount_wrong_rows",
        "Known rows that are not what their events make, by where they lie.",
        labels=["read_model", "place"],
    )
    for name in [*(projection.name for projection in projections), OF_LOG]:
        walk = walks.get(name, WalkRecord(name))
        rows.add_metric([name], walk.rows)
        left_out.add_metric([name], walk.left_out)
        if name != OF_LOG:
            wrong.add_metric([name, TABLE], wrong_rows.get((name, TABLE), 0))
    for (name, place), count in wrong_rows.items():
        if place != TABLE:
            wrong.add_metric([name, place], count)
    yield rows
    yield left_out
    yield wrong
    yield CounterMetricFamily(
        "recount_audit_seconds",
        "Seconds that the audit took, PostgreSQL's part and waiting included.",
        sum(walk.seconds for walk in walks.values()),
    )
