"""Read a CSV file to rows with their line numbers; refuse a file that is not CSV."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from tasks.shop.history_import.errors import UnusableFile

MAX_LINE_LENGTH = 1_000_000
"""Characters; a file without line ends must not fill the memory."""
MAX_COLUMNS = 500
DELIMITERS = (",", ";", "\t", "|")
"""The delimiters of spreadsheets and databases."""
NULLS = frozenset({"NULL", "null", "\\N", "(null)", "<null>", "[NULL]"})
"""
What databases export for a missing value.

Not `Null`, which is a surname.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """
    A row's values by column; *problem* says how it does not fit its header.

    *has_decimal_commas* is True if the delimiter is not a comma: many spreadsheets then
    write 12,50.
    """

    line: int
    values: dict[str, str]
    problem: str | None = None
    has_decimal_commas: bool = False

    def text(self, column: str) -> str:
        """Return a cell's text, "" if it is blank or stands for no value."""
        text = self.values.get(column, "")
        return "" if not text.strip() or text.strip() in NULLS else text


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A file's columns, and its rows as they are read."""

    columns: Sequence[str]
    rows: Iterator[Row]


def read_table(path: Path, needed: Sequence[str]) -> Table:
    """
    Return the table in the file at *path*, which has at least the columns *needed*.

    Raises UnusableFile, also later, while the rows are read: after an unclosed quote
    the rest of the file is useless.
    """
    delimiter = find_delimiter(path, needed)
    records = read_records(path, delimiter)
    _, header = next(records, (0, []))
    if not header:
        raise UnusableFile(path.name, "is empty")
    columns = [name.strip() for name in header]
    while columns and not columns[-1]:
        del columns[-1]  # a spreadsheet that was once wider
    check_columns(path.name, columns, needed)
    rows = rows_of(path.name, columns, records, has_decimal_commas=delimiter != ",")
    return Table(columns=columns, rows=rows)


def find_delimiter(path: Path, needed: Sequence[str]) -> str:
    """Return the delimiter of *path*: the one with which most columns are found."""

    def found(delimiter: str) -> int:
        try:
            _, header = next(read_records(path, delimiter), (0, []))
        except UnusableFile:
            return 0
        return len({name.strip() for name in header} & set(needed))

    return max(DELIMITERS, key=found)


def check_columns(name: str, columns: Sequence[str], needed: Sequence[str]) -> None:
    if len(columns) > MAX_COLUMNS:
        raise UnusableFile(name, f"has more than {MAX_COLUMNS} columns")
    missing = [column for column in needed if column not in columns]
    if missing:
        raise UnusableFile(name, f"has no column {', '.join(missing)}")
    twice = next((column for column in columns if columns.count(column) > 1), None)
    if twice is not None:
        raise UnusableFile(name, f"has the column {show_text(twice)} twice")


def rows_of(
    name: str,
    columns: Sequence[str],
    records: Iterator[tuple[int, list[str]]],
    *,
    has_decimal_commas: bool,
) -> Iterator[Row]:
    is_empty = True
    for line, cells in records:
        is_empty = False
        problem = None
        while len(cells) > len(columns) and not cells[-1].strip():
            del cells[-1]
        if len(cells) != len(columns):
            problem = f"has {len(cells)} values, its header {len(columns)}"
        values = dict(zip(columns, cells, strict=False))
        yield Row(
            line=line,
            values=values,
            problem=problem,
            has_decimal_commas=has_decimal_commas,
        )
    if is_empty:
        raise UnusableFile(name, "has no rows")


def read_records(path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """
    Yield the first line number and the cells of each row.

    It skips blank rows, such as a spreadsheet leaves at its end, and the line `sep=…`,
    in which a spreadsheet names the delimiter.
    """
    line = 1
    try:
        if not path.exists():
            raise UnusableFile(path.name, "is missing")
        if not path.is_file():
            raise UnusableFile(path.name, "is no file")
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(lines_of(file), strict=True, delimiter=delimiter)
            for cells in reader:
                is_hint = line == 1 and "".join(cells).lower().startswith("sep=")
                if not is_hint and any(cell.strip() for cell in cells):
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
    while line := file.readline(MAX_LINE_LENGTH):
        if len(line) == MAX_LINE_LENGTH:
            raise csv.Error(f"a line has more than {MAX_LINE_LENGTH:,} characters")
        yield line


MAX_SHOWN = 40


def show_text(text: str) -> str:
    """Return *text* in quotes, its unprintable characters written out."""
    more = "…" if len(text) > MAX_SHOWN else ""
    return f"{text[:MAX_SHOWN]!r}{more}"
