"""Which shop this is among those that share a broker: told by where its log is."""

from typing import Any
from uuid import uuid5

import psycopg

from eventstore.ids import NAMESPACE

LENGTH = 12


def identity_of(connection: psycopg.Connection[Any]) -> str:
    """
    Return what this shop is called in the names of its queues.

    It is made of the server's own identifier and the database's number there: the same
    for all processes whatever address they have, and after a failover. A restored dump
    is another shop, as it should be: a copy for tests takes no message of the original.
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
