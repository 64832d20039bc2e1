"""Export the newest seals to a file, unless it has others: for beat and operators."""

from pathlib import Path
from typing import Any

import psycopg

from eventstore.errors import ContradictedExport, NothingSealed
from eventstore.seals.export import export_lines, read_export, write_export
from eventstore.seals.seals import find_origin, newest_seals
from eventstore.verifying.exported_seals import find_contradiction


def export_to(connection: psycopg.Connection[Any], path: Path, most: int) -> None:
    """
    Write the newest seals to a file.

    Raises ContradictedExport if it has seals that are not in this chain, and
    NothingSealed.
    """
    lines = lines_of_newest(connection, most)
    if path.exists():
        refuse_contradiction(connection, path)
    write_export(path, lines)


def lines_of_newest(connection: psycopg.Connection[Any], most: int = 1) -> str:
    """Return the newest seals as lines of JSON. Raises NothingSealed."""
    origin, seals = find_origin(connection), newest_seals(connection, most)
    if origin is None or not seals:
        raise NothingSealed
    return export_lines(origin, seals)


def refuse_contradiction(connection: psycopg.Connection[Any], path: Path) -> None:
    contradiction = find_contradiction(connection, read_export(path))
    if contradiction is not None:
        raise ContradictedExport(str(path), contradiction.what)
