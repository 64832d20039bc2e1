"""Names in the functions of the database: none is vague, none is a column's."""

import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from eventstore.sql import FUNCTIONS, source
from eventstore.tables import metadata

VAGUE = {"happened", "datas", "stamp", "moment", "due", "wrong", "reached", "told"}
"""Names that do not say what they hold."""


def code(function: str) -> str:
    """Return the SQL of *function* without its comments and texts."""
    return re.sub(r"--.*|'[^']*'", "", source(function))


def tables(function: str) -> list[sa.Table]:
    """Return the tables that *function* names."""
    named = set(re.findall(r"\b(?:public|vault|access)\.\w+", code(function)))
    return [
        table
        for table in metadata.tables.values()
        if f"{table.schema or 'public'}.{table.name}" in named
    ]


def columns(function: str) -> set[str]:
    """Return the columns of all tables that *function* names."""
    return {column.name for table in tables(function) for column in table.columns}


def variables(function: str) -> Iterator[str]:
    """Yield the parameters and declared variables of *function*."""
    head, *bodies = code(function).split("$$")
    parameters = re.search(r"\((.*?)\)\s*(?:RETURNS|LANGUAGE)", head, re.DOTALL)
    assert parameters is not None
    yield from re.findall(r"(?:^|,)\s*(?:OUT |INOUT )?(\w+) ", parameters[1])
    declared = re.search(r"DECLARE(.*?)\nBEGIN", bodies[0], re.DOTALL)
    if declared is not None:
        yield from re.findall(r"^    (\w+) ", declared[1], re.MULTILINE)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_name_in_a_function_is_vague(function: str) -> None:
    assert not VAGUE & {*re.findall(r"\w+", code(function))}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_variable_is_named_like_a_column_of_a_table_in_its_function(
    function: str,
) -> None:
    """`SET position = position` would keep NULL without an error."""
    assert not columns(function) & {*variables(function)}


def test_the_variables_and_columns_are_found() -> None:
    assert {"stream_ids", "occurred_ats", "stale_stream"} <= {*variables("append")}
    assert {"occurred_at", "version"} <= columns("append")


def test_the_function_of_the_log_names_no_other_table() -> None:
    """What else goes with an append, other functions write."""
    assert [table.name for table in tables("append")] == ["events"]
    assert "commands" in [table.name for table in tables("append_and_complete")]


def test_all_takes_return_the_same_columns() -> None:
    shapes = {
        re.sub(r"\s+", " ", code(take).split("RETURNS TABLE")[1].split("LANGUAGE")[0])
        for take in ("take", "take_many", "take_ahead")
    }

    assert len(shapes) == 1
