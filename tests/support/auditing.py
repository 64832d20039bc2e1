"""Looking at rows as the audit does, and making some wrong."""

from typing import Any

from eventstore.explaining.audit import Audit
from eventstore.explaining.audit_notes import AuditReport
from eventstore.explaining.audit_records import find_wrong_rows
from tasks.shop.wiring import Shop


def look(shop: Shop, **asked: Any) -> AuditReport:
    """Look at all rows once, as if no run had been before."""
    with shop.lent() as connection:
        auditing = Audit(connection, shop.projections, shop.deciders.masters)
        return auditing.run(**asked)


def run_sql(shop: Shop, *statements: str) -> None:
    with shop.lent() as connection:
        for statement in statements:
            connection.execute(statement.encode())


def found(report: AuditReport) -> list[tuple[str, str, str]]:
    return sorted({(one.read_model, str(one.key), one.kind) for one in report.wrong})


def known(shop: Shop) -> list[tuple[str, str]]:
    with shop.lent() as connection:
        rows = find_wrong_rows(connection)
    return sorted((one.read_model, one.key) for one in rows)
