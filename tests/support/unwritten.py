"""All that a database holds, as one text: to see that nothing was written."""

from typing import Any

import psycopg

TABLES = """
    SELECT c.oid::regclass::text FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname IN ('public', 'readmodels', 'vault', 'access')
    ORDER BY 1
"""
SEQUENCES = """
    SELECT string_agg(
        format('%s.%s %s', schemaname, sequencename, coalesce(last_value, 0)), E'\n'
        ORDER BY schemaname, sequencename
    ) FROM pg_sequences
"""


def contents(connection: psycopg.Connection[Any]) -> dict[str, str]:
    """
    Return a hash of the rows of each table, and where all sequences are.

    A row that was written again with the same values has another xmin. *connection* is
    the owner's.
    """
    found = {}
    for (table,) in connection.execute(TABLES).fetchall():
        ((rows,),) = connection.execute(
            f"""
            SELECT md5(string_agg(row, E'\\n' ORDER BY row))
            FROM (SELECT format('%s %s', r.xmin, r) FROM {table} AS r) AS t (row)
            """
        ).fetchall()
        found[table] = rows or "empty"
    ((drawn,),) = connection.execute(SEQUENCES).fetchall()
    return {**found, "sequences": drawn}
