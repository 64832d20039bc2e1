"""The metrics of the databases that queries are sent to."""

import math
from collections.abc import Iterable, Iterator

from prometheus_client.core import GaugeMetricFamily, Metric

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
