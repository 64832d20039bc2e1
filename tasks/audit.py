"""The task of beat that audits rows: whether they are what their events make."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg

from eventstore.explaining.audit import Audit
from eventstore.explaining.audit_notes import AuditReport
from eventstore.explaining.audit_records import OF_LOG, lone_audit
from eventstore.projections.projection import Projection
from tasks.app import SOFT_TIME_LIMIT, app
from tasks.shop.wiring import Shop, shop
from tasks.stores.row_stores import row_stores
from tasks.stores.store_audit import StoreAudit

log = logging.getLogger(__name__)

SHARE = 0.05
"""Of a core that the audit may use, PostgreSQL's part of it included."""
MAX_SECONDS = SOFT_TIME_LIMIT / 4
"""Of a run, besides a fold of all events, which has as long."""


@app.task(name="audit")
def audit() -> None:
    """Audit some rows, if it is time for it."""
    run(shop())


def run(shop: Shop) -> AuditReport | None:
    """
    Audit rows for the share of a core that is allowed; concurrent runs are harmless.

    The time of a run is measured from its begin to its end, and so is more than what it
    uses. After it the audit rests for so long that it keeps within its share. Returns
    None if it rests still, or another process is at it.
    """
    every = shop.settings.audit_seconds
    if every is None:
        return None
    with shop.lent() as connection, lone_audit(connection) as is_alone:
        if not is_alone:
            return None
        with audit_of(
            shop, connection, share=SHARE, seconds_of_a_fold=MAX_SECONDS
        ) as auditing:
            if auditing.walk_called(OF_LOG).is_resting:
                return None
            report = auditing.run(seconds=min(SHARE * every, MAX_SECONDS))
    tell(report)
    return report


@contextmanager
def audit_of(
    shop: Shop,
    connection: psycopg.Connection[Any],
    projections: Sequence[Projection] | None = None,
    **limits: Any,
) -> Iterator[Audit]:
    """
    Lend the audit of a shop's rows, here and in its stores.

    *projections* are those of the read models to look at; None: all. *limits* are named
    as those of `Audit`.
    """
    settings = shop.settings
    stores = list(row_stores(settings, shop.identity)) if settings.names_stores else []
    elsewhere = StoreAudit(connection, stores)
    try:
        yield Audit(
            connection,
            shop.projections if projections is None else projections,
            shop.deciders.masters,
            look_elsewhere=elsewhere.find_wrong,
            **limits,
        )
    finally:
        elsewhere.close()


def tell(report: AuditReport) -> None:
    """Log what is new: keys and columns, and no value."""
    for row in report.new:
        log.error(
            "row is wrong read_model=%s key=%s place=%s kind=%s columns=%s",
            row.read_model,
            row.key,
            row.place,
            row.kind,
            ",".join(row.columns),
        )
