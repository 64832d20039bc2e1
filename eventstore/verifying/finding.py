"""What is wrong, and where: the one thing that every check yields."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

# Is told how many more of a check's length are done.
Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """
    One thing that is wrong.

    *check* is the name of the check, *what* a short text, *detail* a text with
    particulars. An event is named by its position, stream and version as they were
    sealed; one that was put in, by those it has now. *seal* is the number of a seal,
    *command_id* the id of a command as text.
    """

    check: str
    what: str
    position: int | None = None
    stream_id: str | None = None
    version: int | None = None
    seal: int | None = None
    command_id: str | None = None
    detail: str = ""

    def __str__(self) -> str:
        places = [
            None if self.seal is None else f"seal {self.seal}",
            None if self.position is None else f"position {self.position}",
            self.stream_id and self.stream_id + self._at_version,
            self.command_id and f"command {self.command_id}",
        ]
        where = ", ".join(place for place in places if place)
        detail = f" ({self.detail})" if self.detail else ""
        return f"{self.check}: {where or 'the log'}: {self.what}{detail}"

    @property
    def _at_version(self) -> str:
        return "" if self.version is None else f" version {self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """
    One way of looking at the log.

    It reads page by page, so that its memory does not grow with the log, and asks
    nothing of who writes meanwhile.
    """

    name: str
    length: Callable[[psycopg.Connection[Any]], int]
    find: Callable[[psycopg.Connection[Any], Advance], Iterator[Finding]]


def read_page(
    connection: psycopg.Connection[Any],
    query: str,
    values: Mapping[str, object],
) -> list[tuple[Any, ...]]:
    """
    Return the rows of one page.

    After a restore there are no figures, and a planner that reads and sorts the whole
    table for each page takes hours for a log of years. Names mean what they mean to the
    engine, whatever search path the database has.
    """
    with connection.transaction():
        connection.execute(
            """
            SET LOCAL search_path = pg_catalog, public, pg_temp;
            SET LOCAL enable_seqscan = off;
            SET LOCAL enable_bitmapscan = off;
            SET LOCAL jit = off
            """
        )
        return connection.execute(query, values).fetchall()
