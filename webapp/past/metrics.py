"""The metrics of the copies of the past."""

from collections.abc import Iterator
from typing import Any, get_args

import psycopg
from prometheus_client.core import GaugeMetricFamily, Metric

from eventstore.past.copy_counts import count_copies
from eventstore.past.registry import State


def of_past(connection: psycopg.Connection[Any]) -> Iterator[Metric]:
    """Yield how many copies there are, their bytes, and how long one is waited for."""
    found = count_copies(connection)
    by_state = GaugeMetricFamily(
        "recount_past_copies",
        "Copies of read models as of a moment, by state.",
        labels=["state"],
    )
    for state in get_args(State):
        by_state.add_metric([state], found.by_state.get(state, 0))
    yield by_state
    yield GaugeMetricFamily(
        "recount_past_bytes", "Bytes of the copies of the past.", found.bytes
    )
    yield GaugeMetricFamily(
        "recount_past_waiting_seconds",
        "Since when the oldest wish for a copy waits that nobody has begun to fill.",
        found.waiting,
    )
