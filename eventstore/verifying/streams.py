"""Every stream: versions 1..n without a hole, and positions that rise with them."""

from collections.abc import Iterator
from typing import Any

import psycopg

from eventstore.verifying.finding import Advance, Check, Finding, read_page

NAME = "streams"
PAGE = 50_000

# In the order of the index. What a page begins with is compared with what the page
# before ended with, and its last row comes along with what is wrong, for the next one.
_PAGE = """
    WITH page AS MATERIALIZED (
        SELECT e.stream_id, e.version, e.id
        FROM public.events AS e
        WHERE (e.stream_id, e.version) > (%(stream_id)s::varchar, %(version)s::int)
        ORDER BY e.stream_id, e.version
        LIMIT %(page)s
    ), compared AS (
        SELECT
            page.*,
            row_number() OVER in_order AS place,
            count(*) OVER () AS size,
            lag(page.stream_id, 1, %(stream_id)s::varchar) OVER in_order AS other_id,
            lag(page.version, 1, %(version)s::int) OVER in_order AS other_version,
            lag(page.id, 1, %(position)s::bigint) OVER in_order AS other_position
        FROM page
        WINDOW in_order AS (ORDER BY page.stream_id, page.version)
    )
    SELECT stream_id, version, id, size, before, other_position
    FROM compared
    CROSS JOIN LATERAL (
        SELECT CASE WHEN stream_id = other_id THEN other_version ELSE 0 END AS before
    ) AS known
    WHERE place = size
        OR version <> before + 1
        OR (before > 0 AND id <= other_position)
    ORDER BY place
"""


def streams_check() -> Check:
    return Check(name=NAME, length=count_events, find=find_holes)


def count_events(connection: psycopg.Connection[Any]) -> int:
    """Return about how many events there are: counting takes as long as looking."""
    row = connection.execute("SELECT public.last_drawn()").fetchone()
    return int(row[0]) if row else 0


def find_holes(
    connection: psycopg.Connection[Any], advance: Advance
) -> Iterator[Finding]:
    """Yield holes in the versions of streams, and positions that do not rise."""
    last = {"stream_id": "", "version": 0, "position": 0, "page": PAGE}
    while True:
        rows = read_page(connection, _PAGE, last)
        if not rows:
            return
        for stream_id, version, position, _, before, other_position in rows:
            place = {"position": position, "stream_id": stream_id, "version": version}
            if version != before + 1:
                yield Finding(
                    check=NAME,
                    what="the versions before it are missing",
                    detail=f"from {before + 1} to {version - 1}",
                    **place,
                )
            elif before and position <= other_position:
                yield Finding(
                    check=NAME,
                    what="it stands before the version before it",
                    detail=f"which stands at {other_position}",
                    **place,
                )
        stream_id, version, position, size, *_ = rows[-1]
        last |= {"stream_id": stream_id, "version": version, "position": position}
        advance(size)
        if size < PAGE:
            return
