"""The shop's identity among those that share a broker: by the place of its log."""

from typing import Any
from uuid import uuid5

import psycopg

from eventstore.ids import NAMESPACE

LENGTH = 12


def identity_of(connection: psycopg.Connection[Any]) -> str:
    """
    Return the shop's identity, which is part of the names of its queues.

    It is made of the server's identifier and the database's number there: the same for
    all processes, whatever address they use, and after a failover. A restored dump has
    another one, so a copy for tests takes no message of the original.
    """
    row = connection.execute(
        """
        SELECT c.system_identifier, d.oid
        FROM pg_control_system() AS c, pg_database AS d
        WHERE d.datname = current_database()
        """
    ).fetchone()
    assert row is not None
    return uuid5(NAMESPACE, f"shop {row[0]}/{row[1]}").hex[:LENGTH]
