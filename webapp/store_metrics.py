"""The metrics of the databases and stores that queries are sent to."""

import math
from collections.abc import Iterable, Iterator

from prometheus_client.core import GaugeMetricFamily, Metric

from eventstore.stores.registry import CopyStanding
from tasks.stores.read_databases import PRIMARY
from tasks.stores.standings import OK, StoreStanding


def of_stores(is_up: bool, standings: Iterable[StoreStanding]) -> Iterator[Metric]:
    """Yield which databases answer; *is_up* tells of the shop's own."""
    up = GaugeMetricFamily(
        "recount_database_up",
        "Whether a database answers: the primary, and those that are read from.",
        labels=["store"],
    )
    age = GaugeMetricFamily(
        "recount_store_seconds_old",
        "Seconds since a read database has heard of the shop; NaN if unknown.",
        labels=["store"],
    )
    up.add_metric([PRIMARY], float(is_up))
    for one in standings:
        up.add_metric([one.name], float(one.state == OK))
        age.add_metric(
            [one.name], math.nan if one.seconds_old is None else one.seconds_old
        )
    yield up
    yield age


def of_copies(standings: Iterable[CopyStanding]) -> Iterator[Metric]:
    """Yield how the copies of read models in other servers stand."""
    labels = ["store", "read_model"]
    behind = GaugeMetricFamily(
        "recount_copy_seconds_behind",
        "Seconds since a copy in a store had all changes; NaN if it never had.",
        labels=labels,
    )
    rows = GaugeMetricFamily(
        "recount_copy_rows", "Rows of a copy, deleted ones too.", labels=labels
    )
    refused = GaugeMetricFamily(
        "recount_copy_refused_rows", "Rows that a store did not take.", labels=labels
    )
    differences = GaugeMetricFamily(
        "recount_copy_differences",
        "Rows that differed from PostgreSQL in the last comparison.",
        labels=labels,
    )
    failing = GaugeMetricFamily(
        "recount_copy_failing",
        "Whether a copy is not written: an error, or no process that writes it.",
        labels=labels,
    )
    for one in standings:
        values = [one.store, one.read_model]
        seconds = one.seconds_behind
        behind.add_metric(values, math.nan if seconds is None else seconds)
        rows.add_metric(values, one.rows or 0)
        refused.add_metric(values, one.refused)
        differences.add_metric(values, one.differences or 0)
        failing.add_metric(values, float(bool(one.error) or not one.is_tended))
    yield behind
    yield rows
    yield refused
    yield differences
    yield failing
