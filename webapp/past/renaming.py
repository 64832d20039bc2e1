"""Queries of read models asked of their copies: the names of tables are replaced."""

import re
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from eventstore.projections.table import SCHEMA


def rename_tables(connection: sa.Connection, names: Mapping[str, str]) -> None:
    """
    Have *connection* ask the tables that *names* has by the names of read models.

    Only names in the SQL are replaced: values are never part of it.
    """
    pattern = re.compile(rf"\b{SCHEMA}\.({'|'.join(map(re.escape, names))})\b")

    def replace(
        _connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any
    ) -> tuple[str, Any]:
        renamed = pattern.sub(lambda found: f"{SCHEMA}.{names[found[1]]}", statement)
        return renamed, parameters

    sa.event.listen(connection, "before_cursor_execute", replace, retval=True)
