"""
The table of changes of a generation: which row was changed last by which change.

Triggers on the table of rows fill it, so it has every statement that changes rows: a
fold, an update of many rows, a repair. A change is a transaction.
Its number is drawn under the lock of the generation's counter, which is held until the
commit: so the order of the numbers is that of the commits.
"""

import psycopg
from psycopg import sql

from eventstore.projections.ownership import hand_over, schema_owner
from eventstore.projections.table import SCHEMA, Table
from eventstore.subscriptions.read_position import SETTING

SUFFIX = "_changes"

# At least the microseconds of the clock: what a restored backup draws is greater than
# what was drawn after the backup was made.
FUNCTION = """
CREATE OR REPLACE FUNCTION {changes}() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    drawn bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM changed) THEN
        RETURN NULL;
    END IF;
    -- Once in a transaction.
    UPDATE public.change_counters
    SET change = greatest(
        change + 1,
        (extract(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::bigint
    )
    WHERE generation = {generation} AND xmin <> pg_catalog.pg_current_xact_id()::xid
    RETURNING change INTO drawn;
    IF NOT FOUND THEN
        SELECT k.change INTO STRICT drawn
        FROM public.change_counters AS k WHERE k.generation = {generation};
    END IF;
    INSERT INTO {changes} AS c (key, change, position, gone)
    SELECT
        n.{key}, drawn,
        coalesce(
            nullif(pg_catalog.current_setting({setting}, true), '')::bigint,
            (
                SELECT s.checkpoint FROM public.subscriptions AS s
                WHERE s.name = {generation}
            )
        ),
        TG_OP = 'DELETE'
    FROM changed AS n
    ON CONFLICT (key) DO UPDATE
    SET change = EXCLUDED.change, position = EXCLUDED.position, gone = EXCLUDED.gone
    WHERE c.change <> EXCLUDED.change OR c.gone <> EXCLUDED.gone;
    RETURN NULL;
END
$$
"""
TRIGGERS = {"INSERT": "NEW", "UPDATE": "NEW", "DELETE": "OLD"}

COMMENTS = {
    "key": "The row's key in the read model",
    "change": "The number of the last change of this row; a commit has one number",
    "position": "The position up to which the change has read the log",
    "gone": "Whether that change deleted the row",
}


def changes_of(rows: Table) -> sql.Identifier:
    """Return the name of the table of changes, and of the function that fills it."""
    return sql.Identifier(SCHEMA, f"{rows.name}{SUFFIX}")


def ensure_changes(
    connection: psycopg.Connection, read_model: str, rows: Table
) -> None:
    """Make the changes of a generation, where its read model is followed without."""
    is_wanting = connection.execute(
        """
        SELECT FROM public.followed_read_models
        WHERE read_model = %s AND NOT EXISTS (
            SELECT FROM public.change_counters WHERE generation = %s
        )
        """,
        (read_model, rows.name),
    )
    if is_wanting.rowcount:
        track_changes(connection, rows)


def track_changes(connection: psycopg.Connection, rows: Table) -> None:
    """
    Make the table of changes of a generation, with all its rows as the first change.

    It is the caller's transaction. The checkpoint is held until its end, and no pass
    writes rows meanwhile.
    """
    connection.execute(
        "SELECT FROM public.subscriptions WHERE name = %s FOR UPDATE", (rows.name,)
    )
    # What is left where somebody dropped the rows by hand.
    drop_changes(connection, rows.name)
    changes, key = changes_of(rows), sql.Identifier(rows.key)
    connection.execute(
        sql.SQL(
            "CREATE TABLE {} (key {} NOT NULL, change bigint NOT NULL,"
            " position bigint NOT NULL, gone boolean NOT NULL)"
        ).format(changes, sql.SQL(rows.columns[rows.key].kind))
    )
    connection.execute(
        """
        INSERT INTO public.change_counters (generation, change)
        VALUES (%s, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)
        """,
        (rows.name,),
    )
    make_function(connection, rows)
    # From here on nobody writes rows before the caller's transaction ends.
    for event, transition in TRIGGERS.items():
        connection.execute(
            sql.SQL(
                "CREATE TRIGGER {} AFTER {} ON {} REFERENCING {} TABLE AS changed"
                " FOR EACH STATEMENT EXECUTE FUNCTION {}()"
            ).format(
                sql.Identifier(f"note_{event.lower()}"),
                sql.SQL(event),
                rows.identifier,
                sql.SQL(transition),
                changes,
            )
        )
    connection.execute(
        sql.SQL(
            """
            INSERT INTO {} (key, change, position, gone)
            SELECT r.{}, k.change, s.checkpoint, false
            FROM {} AS r, public.change_counters AS k, public.subscriptions AS s
            WHERE k.generation = %s AND s.name = %s
            """
        ).format(changes, key, rows.identifier),
        (rows.name, rows.name),
    )
    connection.execute(sql.SQL("ALTER TABLE {} ADD PRIMARY KEY (key)").format(changes))
    connection.execute(
        sql.SQL("CREATE INDEX {} ON {} (change, key)").format(
            sql.Identifier(f"{rows.name}{SUFFIX}_idx"), changes
        )
    )
    for column, text in COMMENTS.items():
        connection.execute(
            sql.SQL("COMMENT ON COLUMN {}.{} IS {}").format(
                changes, sql.Identifier(column), sql.Literal(text)
            )
        )
    hand_over(connection, "TABLE", f"{rows.name}{SUFFIX}")
    connection.execute(
        sql.SQL("ALTER FUNCTION {}() OWNER TO {}").format(
            changes, sql.SQL(schema_owner(connection) or "CURRENT_USER")
        )
    )


def make_function(connection: psycopg.Connection, rows: Table) -> None:
    """Make the function that notes changes of *rows*, or make it once more."""
    connection.execute(
        sql.SQL(FUNCTION).format(
            changes=changes_of(rows),
            key=sql.Identifier(rows.key),
            generation=sql.Literal(rows.name),
            setting=sql.Literal(SETTING),
        )
    )


def rename_changes(connection: psycopg.Connection, former: str, rows: Table) -> None:
    """Have the changes of the generation called *former* follow it to its new name."""
    renamed = connection.execute(
        "UPDATE public.change_counters SET generation = %s WHERE generation = %s",
        (rows.name, former),
    )
    if renamed.rowcount:
        connection.execute(
            sql.SQL("ALTER FUNCTION {}() RENAME TO {}").format(
                sql.Identifier(SCHEMA, f"{former}{SUFFIX}"),
                sql.Identifier(f"{rows.name}{SUFFIX}"),
            )
        )
        # The names stand in its text, too.
        make_function(connection, rows)


def drop_changes(connection: psycopg.Connection, generation: str) -> None:
    """Drop the changes of the generation called *generation*, if it has any."""
    changes = sql.Identifier(SCHEMA, f"{generation}{SUFFIX}")
    # CASCADE: its triggers, and nothing else depends on it.
    connection.execute(sql.SQL("DROP FUNCTION IF EXISTS {} CASCADE").format(changes))
    connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(changes))
    connection.execute(
        "DELETE FROM public.change_counters WHERE generation = %s", (generation,)
    )
