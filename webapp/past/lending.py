"""Lending queries a connection on which read models are those of a moment."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg
import sqlalchemy as sa
from flask import g

from eventstore.connection import driver_connection
from eventstore.projections.freshness import Freshness
from eventstore.projections.projection import Projection
from tasks.stores.read_databases import PRIMARY
from webapp.current_shop import the_shop
from webapp.past.making import WantedCopy, being_made, find_or_make
from webapp.past.moment_asked import AskedMoment
from webapp.past.renaming import rename_tables
from webapp.read_source import ReadSource


@contextmanager
def lend_past(
    projections: Sequence[Projection], asked: AskedMoment
) -> Iterator[ReadSource]:
    """
    Lend the shop's own database, with copies in the place of *projections*.

    Read stores have no copies, and are not asked. Raises the Problems of
    `find_or_make`.
    """
    with the_shop().autocommitting.connect() as connection:
        copies = find_or_make(
            driver_connection(connection),
            [WantedCopy(one, asked.at, asked.position) for one in projections],
        )
        rename_tables(connection, {copy.read_model: copy.name for copy in copies})
        g.left_out_then = sum(copy.left_out for copy in copies)
        reached = [Freshness(copy.looked or copy.up_to, 0) for copy in copies]
        try:
            yield ReadSource(connection, reached, PRIMARY)
        except sa.exc.ProgrammingError as error:
            if not isinstance(error.orig, psycopg.errors.UndefinedTable):
                raise
            # It was dropped a moment ago, and is wanted at the next look.
            raise being_made(()) from error
