"""The metrics of rebuilds: how far they are, and what differed."""

from collections.abc import Iterable, Iterator

from prometheus_client.core import GaugeMetricFamily, Metric

from eventstore.rebuilding.fillings import Filling


def of_rebuilds(fillings: Iterable[Filling]) -> Iterator[Metric]:
    """Yield how far the fillings are that are not live yet."""
    labels = ["read_model"]
    done = GaugeMetricFamily(
        "recount_rebuild_events_read",
        "Events that a rebuild has read for a read model.",
        labels=labels,
    )
    total = GaugeMetricFamily(
        "recount_rebuild_events",
        "Events that a rebuild has to read for a read model.",
        labels=labels,
    )
    differing = GaugeMetricFamily(
        "recount_rebuild_rows_differing",
        "Rows of a filling that differ from the live ones, if they were compared.",
        labels=labels,
    )
    tended = GaugeMetricFamily(
        "recount_rebuild_running",
        "Whether a process is at work on a filling; 0: it was left.",
        labels=labels,
    )
    for one in fillings:
        name = [one.read_model]
        done.add_metric(name, one.done)
        tended.add_metric(name, float(one.is_tended))
        if one.total is not None:
            total.add_metric(name, one.total)
        if one.differing is not None:
            differing.add_metric(name, one.differing)
    yield from (done, total, differing, tended)
