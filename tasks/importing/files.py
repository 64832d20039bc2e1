"""From a CSV file to rows with their lines; what is no such file is refused whole."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from tasks.importing.errors import UnusableFile
from tasks.importing.showing import shown

LONGEST_LINE = 1_000_000
"""Characters; a file without line ends must not fill the memory."""
MOST_COLUMNS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row's values by column; *problem* tells where it does not fit its header."""

    line: int
    values: dict[str, str]
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A file's columns, and its rows as they are read."""

    columns: Sequence[str]
    rows: Iterator[Row]


def read_table(path: Path, needed: Sequence[str]) -> Table:
    """
    Return the table in the file at *path*, which has the columns *needed*, or more.

    Raises UnusableFile, also later, while the rows are read: from a quote that is never
    closed on, nothing of the file can be trusted.
    """
    records = read_records(path)
    _, header = next(records, (0, []))
    if not header:
        raise UnusableFile(path.name, "is empty")
    columns = [name.strip() for name in header]
    check_columns(path.name, columns, needed)
    return Table(columns=columns, rows=rows_of(path.name, columns, records))


def check_columns(name: str, columns: Sequence[str], needed: Sequence[str]) -> None:
    if len(columns) > MOST_COLUMNS:
        raise UnusableFile(name, f"has more than {MOST_COLUMNS} columns")
    missing = [column for column in needed if column not in columns]
    if missing:
        raise UnusableFile(name, f"has no column {', '.join(missing)}")
    twice = next((column for column in columns if columns.count(column) > 1), None)
    if twice is not None:
        raise UnusableFile(name, f"has the column {shown(twice)} twice")


def rows_of(
    name: str, columns: Sequence[str], records: Iterator[tuple[int, list[str]]]
) -> Iterator[Row]:
    is_empty = True
    for line, cells in records:
        is_empty = False
        problem = None
        if len(cells) != len(columns):
            problem = f"has {len(cells)} values, its header {len(columns)}"
        values = dict(zip(columns, cells, strict=False))
        yield Row(line=line, values=values, problem=problem)
    if is_empty:
        raise UnusableFile(name, "has no rows")


def read_records(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the cells of each row with the line that it begins in; no blank lines."""
    line = 1
    try:
        if not path.exists():
            raise UnusableFile(path.name, "is missing")
        if not path.is_file():
            raise UnusableFile(path.name, "is no file")
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(lines_of(file), strict=True)
            for cells in reader:
                if cells:
                    yield line, cells
                line = reader.line_num + 1
    except UnicodeDecodeError as error:
        raise UnusableFile(path.name, f"is not UTF-8 (after line {line})") from error
    except csv.Error as error:
        raise UnusableFile(
            path.name, f"cannot be read from line {line} on: {error}"
        ) from error
    except OSError as error:
        raise UnusableFile(path.name, f"cannot be read: {error.strerror}") from error


def lines_of(file: TextIO) -> Iterator[str]:
    while line := file.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise csv.Error(f"a line has more than {LONGEST_LINE:,} characters")
        yield line
