"""
Whether text is sorted as it was when the indexes on it were made.

PostgreSQL sorts by a library, the system's or ICU, and notes its version. After an
upgrade of the system, or on another machine's copy, it may be another one, whose order
differs: what an index has is then not found in it. Of a stream that is not found, the
next command is decided as if nothing had happened, and a second version 1 is let in.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import psycopg

from eventstore.ailment import Ailment
from eventstore.verifying.finding import Advance, Check, Finding

NAME = "collations"
OURS = ("public", "vault", "access")
"""The schemas whose unique indexes keep the promise; other indexes only find things."""

# Of the default the database has noted the version, of the others the collation. One
# that has none (C, POSIX) does not change. What was never noted cannot be compared.
_CHANGED = """
    WITH noted AS (
        SELECT
            100::oid AS oid, 'database ' || quote_ident(d.datname) AS name,
            d.datcollversion AS recorded, v.actual,
            -- REFRESH refuses to go to no version, as a locale of no version wants it.
            CASE WHEN v.actual IS NULL
                THEN format(
                    'UPDATE pg_database SET datcollversion = NULL WHERE datname = %%L',
                    d.datname
                )
                ELSE format('ALTER DATABASE %%I REFRESH COLLATION VERSION', d.datname)
            END AS refreshing
        FROM pg_database AS d
        CROSS JOIN LATERAL (
            SELECT pg_database_collation_actual_version(d.oid) AS actual
        ) AS v
        WHERE d.datname = current_database()
        UNION ALL
        SELECT
            c.oid, 'collation ' || c.oid::regcollation, c.collversion, v.actual,
            CASE WHEN v.actual IS NULL
                THEN 'UPDATE pg_collation SET collversion = NULL WHERE oid = ' || c.oid
                ELSE format('ALTER COLLATION %%s REFRESH VERSION', c.oid::regcollation)
            END
        FROM pg_collation AS c
        CROSS JOIN LATERAL (
            SELECT pg_collation_actual_version(c.oid) AS actual
        ) AS v
        WHERE c.oid <> 100
    ), used AS (
        SELECT DISTINCT n.nspname, k.relname, i.indisunique, u.oid AS of_text
        FROM pg_index AS i
        JOIN pg_class AS k ON k.oid = i.indexrelid
        JOIN pg_namespace AS n ON n.oid = k.relnamespace
        CROSS JOIN LATERAL unnest(i.indcollation) AS u (oid)
        WHERE n.nspname <> 'pg_catalog' AND n.nspname NOT LIKE 'pg\\_toast%%'
    )
    SELECT
        noted.name, noted.recorded, noted.actual, noted.refreshing,
        (SELECT quote_ident(current_database())), count(*),
        coalesce(
            array_agg(used.relname::text ORDER BY used.relname) FILTER (
                WHERE used.indisunique AND used.nspname = ANY (%s)
            ),
            '{}'
        )
    FROM noted
    JOIN used ON used.of_text = noted.oid
    WHERE noted.recorded IS NOT NULL AND noted.recorded IS DISTINCT FROM noted.actual
    GROUP BY noted.name, noted.recorded, noted.actual, noted.refreshing
    ORDER BY noted.name
"""


class ChangedCollation(NamedTuple):
    """A collation of another version than its indexes, with those that are unique."""

    name: str
    recorded: str
    actual: str | None
    refreshing: str
    database: str
    indexes: int
    unique: list[str]

    @property
    def what(self) -> str:
        several = "1 index" if self.indexes == 1 else f"{self.indexes} indexes"
        what = (
            f"the collation of {self.name} was version {self.recorded}, and the library"
            f" has {self.actual or 'none'}: {several} on text may be in another order"
        )
        if not self.unique:
            return what
        more = ", …" if len(self.unique) > 1 else ""
        return (
            f"{what}, and {self.unique[0]}{more} let in twice what is to be there once"
        )

    @property
    def remedy(self) -> str:
        return f"REINDEX DATABASE {self.database}; {self.refreshing}"


def find_changed(connection: psycopg.Connection[Any]) -> list[ChangedCollation]:
    """Return the collations that are not what the indexes were made with."""
    rows = connection.execute(_CHANGED, (list(OURS),)).fetchall()
    return [ChangedCollation(*row) for row in rows]


def check_collations(connection: psycopg.Connection[Any]) -> Iterator[Ailment]:
    """
    Say which collations have changed.

    Fatal where a unique index of ours rests on one. Stream ids have hyphens and digits,
    the very characters whose order glibc 2.28 changed. To refuse costs the minutes of a
    REINDEX, and who knows that the order is the same needs the second statement alone.
    """
    for changed in find_changed(connection):
        yield Ailment(NAME, changed.what, changed.remedy, bool(changed.unique))


def collations_check() -> Check:
    """Return the check of `verify`: what it reads by an index rests on the order."""

    def find(
        connection: psycopg.Connection[Any], advance: Advance
    ) -> Iterator[Finding]:
        for changed in find_changed(connection):
            yield Finding(check=NAME, what=changed.what, detail=changed.remedy)
        advance(1)

    return Check(name=NAME, length=lambda _: 1, find=find)
