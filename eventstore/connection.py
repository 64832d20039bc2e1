"""The engine speaks psycopg; its callers hold SQLAlchemy's connections."""

from typing import Any

import psycopg
import sqlalchemy as sa


def driver_connection(connection: sa.Connection) -> psycopg.Connection[Any]:
    """Return the psycopg connection of an SQLAlchemy one, in the same transaction."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver
