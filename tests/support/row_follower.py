"""A follower of a read model of counters, which knows its rows by changes alone."""

import threading
from typing import Any

import psycopg

from eventstore.errors.following import ChangesBegunAgain
from eventstore.log.append import ANY_VERSION, append
from eventstore.projections.changes import (
    ChangesCursor,
    ChangesPage,
    RowChange,
    read_changes,
)
from eventstore.projections.generations import live_generations
from eventstore.projections.project import subscription_of
from eventstore.projections.projection import Projection
from eventstore.subscriptions.shared_pass import read_together
from tests.support.engine import Engine, added
from tests.support.shared_passes import Total, projection_called

totals = projection_called("totals")
others = projection_called("others")


class Follower:
    """Keeps the rows of a read model, by its changes alone."""

    def __init__(self, projection: Projection = totals) -> None:
        self.projection = projection
        self.rows: dict[Any, Any] = {}
        self.changes: list[RowChange] = []
        self.cursor: ChangesCursor | None = None
        self.begun = 0
        self.position = 0

    def take(self, connection: psycopg.Connection[Any], limit: int) -> ChangesPage:
        """Take one page, or begin again where the cursor is refused."""
        try:
            page = read_changes(connection, self.projection, self.cursor, limit=limit)
        except ChangesBegunAgain:
            self.cursor, self.rows = None, {}
            self.begun += 1
            return self.take(connection, limit)
        self.changes += page.changes
        for change in page.changes:
            if change.row is None:
                self.rows.pop(change.key, None)
            else:
                self.rows[change.key] = change.row
        self.cursor, self.position = page.cursor, page.position
        return page

    def take_all(self, connection: psycopg.Connection[Any], limit: int = 100) -> None:
        while not self.take(connection, limit).is_last:
            pass


def write(connection: psycopg.Connection[Any], *amounts: tuple[str, int]) -> None:
    append(
        connection,
        [(f"counter-{name}", added(amount)) for name, amount in amounts],
        expected=dict.fromkeys((f"counter-{name}" for name, _ in amounts), ANY_VERSION),
    )


def keep_up(connection: psycopg.Connection[Any], *projections: Projection) -> None:
    live = live_generations(connection)
    subscriptions = [
        subscription_of(projection, live[projection.name].number)
        for projection in projections or (totals,)
    ]
    while not read_together(connection, subscriptions).is_last:
        pass


def table(
    connection: psycopg.Connection[Any], projection: Projection = totals
) -> dict[str, Total]:
    found = connection.execute(
        f'SELECT counter, total, "group" FROM readmodels.{projection.name}'
    )
    return {
        name: Total(counter=name, total=total, group=group)
        for name, total, group in found
    }


def waits_or_has_ended(
    engine: Engine, connection: psycopg.Connection[Any], thread: threading.Thread
) -> bool:
    waits = engine.connection.execute(
        "SELECT FROM pg_locks WHERE pid = %s AND NOT granted",
        (connection.info.backend_pid,),
    )
    return waits.rowcount > 0 or not thread.is_alive()
