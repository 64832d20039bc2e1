"""The catalogue of negative controls has each of them, and nothing else."""

import ast
import re
from collections.abc import Iterator
from types import ModuleType

from tests.eventstore.test_fence_protections import PROTECTIONS
from tests.faults.controls.test_controls import CONTROLS, FILES
from tests.support.databases import ROOT

PAGE = (ROOT / "docs/negative-controls.md").read_text()
FENCE = "test_fence_protections.py"


def rows() -> list[list[str]]:
    """Return the cells of all rows of the tables of the page."""
    lines = re.findall(r"^\| (?!Protection|---)(.*) \|$", PAGE, re.MULTILINE)
    return [line.split(" | ") for line in lines]


def name_of(file: ModuleType) -> str:
    return file.__name__.rpartition(".")[2]


def functions() -> Iterator[ast.FunctionDef]:
    """Yield all tests that there are."""
    for path in (ROOT / "tests").rglob("test_*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield node


def test_every_control_stands_in_the_catalogue_with_what_it_breaks() -> None:
    told = {
        (protection, breaks, where)
        for protection, _, breaks, where in rows()
        if where.startswith("`controls/")
    }

    assert told == {
        (
            control.protection,
            control.breaks,
            f"`controls/{file.__name__.split('.')[-1]}.py`",
        )
        for file in FILES
        for control in file.CONTROLS
    }
    assert len(CONTROLS) == len(told) >= 15


def test_every_protection_of_the_fence_stands_there() -> None:
    told = [protection for protection, _, _, where in rows() if FENCE in where]

    assert told == list(PROTECTIONS)


def test_every_other_test_that_it_names_is_there() -> None:
    there = {function.name for function in functions()}
    told = {where.strip("`") for *_, where in rows() if ".py" not in where}

    assert told
    assert told - there == set()


def test_every_test_that_calls_itself_a_negative_control_stands_there() -> None:
    controls = {
        function.name
        for function in functions()
        if "negative control" in (ast.get_docstring(function) or "").lower()
    }

    assert controls
    assert {name for name in controls if f"`{name}`" not in PAGE} == set()
