"""The page on the levels: its program runs, and its table counts its code."""

import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from benchmarks.levels import PAGE, PYTHON, compare, lines_of_code, table
from tests.support.databases import ROOT, Databases

TEXT = re.compile(r"^```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FIGURE = re.compile(r"\d+(\.\d+ ms( \(p99 \d+\.\d\))?)?")


@pytest.fixture
def urls(databases: Databases) -> Iterator[list[str]]:
    """The addresses of two empty databases."""
    names = [f"t_{uuid.uuid4().hex[:16]}" for _ in range(2)]
    yield [
        sa.make_url(databases.create(name))
        .set(drivername="postgresql")
        .render_as_string(hide_password=False)
        for name in names
    ]
    for name in names:
        databases.drop(name)


def rows_of_the_table(lines: list[str]) -> dict[str, list[str]]:
    """Return the cells of the rows below the heading, by what stands before them."""
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in lines]
    return {row[0]: row[1:] for row in cells[2:]}


def test_the_program_prints_what_the_page_says(urls: list[str], tmp_path: Path) -> None:
    path = tmp_path / "levels.py"
    path.write_text("\n\n".join(PYTHON.findall(PAGE.read_text())))
    done = subprocess.run(
        [sys.executable, path, *urls],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT)},
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout == "".join(TEXT.findall(PAGE.read_text()))


def test_the_levels_answer_alike_and_the_page_has_the_table(urls: list[str]) -> None:
    figures, answers = compare(urls, orders=20, times=3)
    made = list(table(figures))
    shown = [line for line in PAGE.read_text().splitlines() if line.startswith("|")]

    first, *others = answers.values()
    assert first == [(number, "Small", 54_945) for number in (10, 20)]
    assert others == [first, first]
    of_page, of_run = rows_of_the_table(shown[: len(made)]), rows_of_the_table(made)
    assert shown[:2] == made[:2]
    assert list(of_page) == list(of_run)
    # What is counted is the same; what is measured was measured on the day.
    assert of_page["lines of code"] == of_run["lines of code"]
    for cells in of_page.values():
        assert all(FIGURE.fullmatch(cell) for cell in cells)


def test_each_level_has_more_code_than_the_one_before() -> None:
    counted = lines_of_code()

    one, two, three = (counted[f"level {number}"] for number in (1, 2, 3))
    assert one < one + two < three
