"""The glossary has every word once, and each of its names is where it says."""

import pkgutil
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import domain
from domain.errors import Rejection, StateRejection
from tasks.shop import deciders
from tests.support.databases import ROOT
from tests.support.names_in_code import names_within

PAGE = ROOT / "docs" / "glossary.md"

TABLE = re.compile(r"^\| (.+) \|\n\| ---.*\n((?:\|.*\n)+)", re.MULTILINE)


class Row(NamedTuple):
    """A line of a table of the page, and what the table is headed by."""

    heading: str
    cells: list[str]

    @property
    def words(self) -> list[str]:
        """
        The words that the line explains.

        In a table of values they are values of what heads it: `cancelled` is the status
        of a command and of an order.
        """
        words = self.cells[0].split(", ")
        return words if self.is_entry else [f"{self.heading} {one}" for one in words]

    @property
    def is_entry(self) -> bool:
        return len(self.cells) > 2

    @property
    def names(self) -> list[str]:
        """What the line calls it in the code, without the parameters of a function."""
        found = names_in(self.cells[-3])
        return [name.partition("(")[0] for name in found]

    @property
    def files(self) -> list[str]:
        return names_in(self.cells[-1])


def names_in(cell: str) -> list[str]:
    return re.findall("`([^`]+)`", cell)


def rows() -> list[Row]:
    return [
        Row(heads.split(" | ")[0], line.strip("|\n ").split(" | "))
        for heads, lines in TABLE.findall(PAGE.read_text())
        for line in lines.splitlines()
    ]


ENTRIES = [row for row in rows() if row.is_entry]


def classes_of(heading: str) -> list[str]:
    return [name for r in ENTRIES if r.heading == heading for name in r.names]


def rejections(of: type[Rejection] = Rejection) -> Iterator[type[Rejection]]:
    """Yield every rule of the domain that says no."""
    for kind in of.__subclasses__():
        if kind.__module__.startswith("domain."):
            yield kind
        yield from rejections(kind)


def files_below(path: str) -> Iterator[str]:
    """Yield *path*, if it is a file, or the files of code below it."""
    below = [ROOT / path] if (ROOT / path).is_file() else (ROOT / path).rglob("*")
    for file in map(Path, below):
        if file.suffix in (".py", ".sql"):
            yield file.relative_to(ROOT).as_posix()


def names_of_files(paths: Iterable[str]) -> set[str]:
    files = {file for path in paths for file in files_below(path)}
    return {name for file in files for name in names_within(file)}


def test_every_command_of_the_domain_is_in_it() -> None:
    commands = [kind.__name__ for one in deciders.ALL for kind in one.commands]

    assert sorted(classes_of("Command")) == sorted(commands)


def test_every_event_of_the_domain_is_in_it() -> None:
    events = [kind.__name__ for one in deciders.ALL for kind in one.events.classes]

    assert sorted(classes_of("Event")) == sorted(events)


def test_every_rejection_of_the_domain_is_in_it() -> None:
    for module in pkgutil.walk_packages(domain.__path__, "domain."):
        import_module(module.name)
    names = {kind.__name__ for kind in rejections()} - {StateRejection.__name__}

    assert sorted(classes_of("Rejection")) == sorted(names)


def test_no_word_has_two_entries() -> None:
    words = Counter(word for row in rows() for word in row.words)

    assert [word for word, count in words.items() if count > 1] == []


def test_every_file_that_it_names_is_there() -> None:
    assert [
        f"{row.cells[0]}: {path}"
        for row in ENTRIES
        for path in row.files
        if not (ROOT / path).exists()
    ] == []


def test_every_name_is_in_a_file_of_its_line() -> None:
    assert [
        f"{row.cells[0]}: {name}"
        for row in ENTRIES
        for name in row.names
        if name not in names_of_files(row.files)
    ] == []


def test_every_entry_has_a_name_and_a_file() -> None:
    assert ENTRIES
    assert [row.cells[0] for row in ENTRIES if not (row.names and row.files)] == []


def test_what_a_file_only_imports_or_tells_of_is_not_in_it() -> None:
    assert "PlaceOrder" in names_within("domain/orders/commands.py")
    assert "PlaceOrder" not in names_within("domain/orders/order.py")
    assert "settled" in names_within("eventstore/sql/settled.sql")
    assert "settled" not in names_within("eventstore/sql/lock_key.sql")
