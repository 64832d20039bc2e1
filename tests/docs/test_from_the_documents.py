"""What the owner asked for is answered whole, by what is there, in both languages."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click
import pytest

from cli import cli
from tests.support.databases import ROOT
from tests.support.names_in_code import names_defined

STATEMENTS = 36

SECTION = re.compile(r"^### (\d+)\. .+\n\n\*\*(.+?)\.\*\* ", re.MULTILINE)
ITEM = re.compile(r"^- (.+?): (.*(?:\n  .*)*)", re.MULTILINE)
FILE = re.compile(r"\[`([^`]+)`\]\(([^)]+)\)([^\[]*)")


class Language(NamedTuple):
    """The page of a language, and what it calls its answers and their parts."""

    page: Path
    built: str
    differs: str
    part: str
    background: str
    how: str
    missing: str
    code: str
    tests: str
    to_type: str

    @property
    def answers(self) -> list[str]:
        return [self.built, self.differs, self.part, self.background]


ENGLISH = Language(
    page=ROOT / "docs" / "from-the-documents.md",
    built="Built",
    differs="Built differently",
    part="In part",
    background="Background",
    how="Differs",
    missing="Missing",
    code="Code",
    tests="Tests",
    to_type="Try",
)
VIETNAMESE = Language(
    page=ROOT / "docs" / "vi" / "from-the-documents.md",
    built="Đã làm",
    differs="Làm khác",
    part="Làm một phần",
    background="Bối cảnh",
    how="Khác",
    missing="Còn thiếu",
    code="Mã nguồn",
    tests="Test",
    to_type="Thử",
)
in_both_languages = pytest.mark.parametrize(
    "language", [ENGLISH, VIETNAMESE], ids=["English", "Vietnamese"]
)


class NamedFile(NamedTuple):
    """A file that a page names, where its link leads, and what it shall have."""

    path: str
    link: str
    names: tuple[str, ...]


class Section(NamedTuple):
    """The answer to one statement, as a page gives it."""

    number: int
    answer: str
    items: dict[str, str]

    def files(self, item: str) -> list[NamedFile]:
        return [
            NamedFile(path, link, tuple(re.findall("`([^`]+)`", names)))
            for path, link, names in FILE.findall(self.items.get(item, ""))
        ]


def sections(language: Language) -> list[Section]:
    number_answer_text = SECTION.split(language.page.read_text())[1:]
    return [
        Section(int(number), answer, dict(ITEM.findall(text)))
        for number, answer, text in zip(*[iter(number_answer_text)] * 3, strict=True)
    ]


def missing_names(files: list[NamedFile]) -> Iterator[str]:
    for file in files:
        for name in {*file.names} - names_defined(file.path):
            yield f"{file.path} {name}"


@in_both_languages
def test_every_statement_is_answered_once_and_in_order(language: Language) -> None:
    numbers = [section.number for section in sections(language)]

    assert numbers == list(range(1, STATEMENTS + 1))


@in_both_languages
def test_every_answer_names_a_function_and_a_test(language: Language) -> None:
    for section in sections(language):
        for item in (language.code, language.tests):
            files = section.files(item)
            assert files, (section.number, item)
            assert all(file.names for file in files), (section.number, item)


@in_both_languages
def test_every_function_that_is_named_is_in_its_file(language: Language) -> None:
    missing = [
        f"{section.number}: {name}"
        for section in sections(language)
        for name in missing_names(section.files(language.code))
    ]

    assert missing == []


@in_both_languages
def test_every_test_that_is_named_is_in_its_file(language: Language) -> None:
    missing = [
        f"{section.number}: {name}"
        for section in sections(language)
        for name in missing_names(section.files(language.tests))
    ]
    names = {
        name
        for section in sections(language)
        for file in section.files(language.tests)
        for name in file.names
    }

    assert missing == []
    assert {name for name in names if not name.startswith("test_")} == set()


def test_a_name_that_is_not_there_is_found() -> None:
    files = [
        NamedFile("eventstore/sql/append.sql", "", ("append", "prepend")),
        NamedFile("domain/orders/order.py", "", ("decide", "reads", "divide")),
        NamedFile("domain/orders/disorder.py", "", ("decide",)),
    ]

    assert list(missing_names(files)) == [
        "eventstore/sql/append.sql prepend",
        "domain/orders/order.py divide",
        "domain/orders/disorder.py decide",
    ]


@in_both_languages
def test_a_link_leads_to_the_file_that_it_names(language: Language) -> None:
    files = FILE.findall(language.page.read_text())

    assert [
        link
        for path, link, _ in files
        if (language.page.parent / link).resolve() != ROOT.resolve() / path
    ] == []


@in_both_languages
def test_an_answer_that_is_not_as_written_says_why(language: Language) -> None:
    for section in sections(language):
        differs = section.answer == language.differs
        assert (language.how in section.items) == differs, section.number
        is_part = section.answer == language.part
        assert (language.missing in section.items) == is_part, section.number


@in_both_languages
def test_the_table_at_the_top_counts_the_answers(language: Language) -> None:
    rows = re.findall(
        r"^\| (.+?) \| .+? \| ([\d, ]+) \|$", language.page.read_text(), re.MULTILINE
    )
    given = sections(language)

    assert [(answer, numbers.split(", ")) for answer, numbers in rows] == [
        (answer, [str(s.number) for s in given if s.answer == answer])
        for answer in language.answers
    ]
    assert sum(len(numbers.split(", ")) for _, numbers in rows) == STATEMENTS


@in_both_languages
def test_what_there_is_to_type_is_a_command(language: Language) -> None:
    given = [section.items.get(language.to_type) for section in sections(language)]
    typed = [line for line in given if line is not None]

    assert typed
    for line in typed:
        _, *words = line.strip("`").split()
        command = command_of(words)
        known = {name for parameter in command.params for name in parameter.opts}
        options = {word for word in words if word.startswith("--")}
        assert options - known == set(), line


def command_of(words: list[str]) -> click.Command:
    """Return the command that *words* begin with; fail where there is none."""
    command: click.Command = cli
    context = click.Context(command)
    for word in words:
        if not isinstance(command, click.Group):
            break
        found = command.get_command(context, word)
        assert found is not None, words
        command = found
    assert not isinstance(command, click.Group), words
    return command


def test_both_languages_answer_the_same_by_the_same_code_and_tests() -> None:
    def told(language: Language) -> list[tuple[object, ...]]:
        return [
            (
                section.number,
                language.answers.index(section.answer),
                [(f.path, f.names) for f in section.files(language.code)],
                [(f.path, f.names) for f in section.files(language.tests)],
                section.items.get(language.to_type),
            )
            for section in sections(language)
        ]

    assert told(VIETNAMESE) == told(ENGLISH)
