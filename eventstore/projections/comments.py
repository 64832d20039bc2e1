"""
What the columns of a read model mean, for those who ask it in SQL.

The text stands beside the field: `total: Annotated[int, "in minor units"]`. It becomes
the comment of the view's column, and the docstring of the rows' class that of the view,
so `\\d+` in psql and other tools show both.
"""

import inspect
import types
import typing
from dataclasses import fields
from typing import Any

import psycopg
from psycopg import sql

from eventstore.projections.projection import Projection
from eventstore.projections.table import SCHEMA


def comment_on_view(
    connection: psycopg.Connection[Any], projection: Projection
) -> None:
    """Give the view of a read model its comments; it has to be there, and be ours."""
    view = sql.Identifier(SCHEMA, projection.name)
    statements = [
        sql.SQL("COMMENT ON VIEW {} IS {}").format(
            view, sql.Literal(comment_of(projection.row))
        )
    ]
    statements += [
        sql.SQL("COMMENT ON COLUMN {} IS {}").format(
            sql.Identifier(SCHEMA, projection.name, column), sql.Literal(text)
        )
        for column, text in column_comments(projection.row).items()
    ]
    # All in one round trip: readers wait while a view is replaced. What is prepared has
    # to be one statement.
    connection.execute(sql.SQL("; ").join(statements), prepare=False)


def ensure_comments(
    connection: psycopg.Connection[Any], projection: Projection
) -> None:
    """Give the view its comments where it has others, or none; do nothing without."""
    rows = connection.execute(
        """
        SELECT a.attname, col_description(a.attrelid, a.attnum)
        FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0
        UNION ALL
        SELECT NULL, obj_description(to_regclass(%s), 'pg_class')
        """,
        [f"{SCHEMA}.{projection.name}"] * 2,
    ).fetchall()
    found: dict[str | None, str | None] = dict(rows)
    wanted: dict[str | None, str | None] = {None: comment_of(projection.row)}
    wanted.update(column_comments(projection.row).items())
    # With other columns it is of another definition, and will be made again.
    if set(found) == set(wanted) and found != wanted:
        comment_on_view(connection, projection)


def comment_of(row: type) -> str | None:
    """Return the docstring of *row* as one paragraph; None where it has none."""
    doc = row.__doc__
    # Without one of its own, a dataclass has its signature.
    if doc is None or doc.startswith(f"{row.__name__}("):
        return None
    return " ".join(inspect.cleandoc(doc).split())


def column_comments(row: type) -> dict[str, str | None]:
    """Return the comment of each field of *row*, None where there is none."""
    hints = typing.get_type_hints(row, include_extras=True)
    return {field.name: text_in(hints[field.name]) for field in fields(row)}


def personal_columns(row: type) -> frozenset[str]:
    """Return the fields of *row* whose text begins with `Personal:`."""
    return frozenset(
        name
        for name, text in column_comments(row).items()
        if text is not None and text.startswith("Personal:")
    )


def text_in(hint: Any) -> str | None:
    """Return the text that `Annotated` adds to a type, or to one of a union."""
    if typing.get_origin(hint) is typing.Annotated:
        return next((x for x in hint.__metadata__ if isinstance(x, str)), None)
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        return next(filter(None, map(text_in, typing.get_args(hint))), None)
    return None
