"""The log itself: versions without a hole, and a cause behind every event."""

from tests.faults.checker.looking import Look

VERSIONS = "versions of a stream are 1..n, and ids rise with them"
TIME = "what happens in a stream does not happen before what it follows"
CAUSE = "every event has a command, a process manager or an import behind it"
CONVERSATION = "what follows carries the correlation id of its cause"

LOOKS = [
    Look(
        VERSIONS,
        """
        SELECT
            format('%s version %s, id %s', stream_id, version, id),
            version <> row_number() OVER (PARTITION BY stream_id ORDER BY id)
        FROM events
        """,
    ),
    Look(
        TIME,
        """
        SELECT
            format('%s version %s', stream_id, version),
            NOT metadata ? 'source' AND occurred_at < lag(occurred_at, 1, occurred_at)
                OVER (PARTITION BY stream_id ORDER BY version)
        FROM events
        """,
    ),
    # The command of an old event may have been deleted, on purpose.
    Look(
        CAUSE,
        """
        WITH pruned AS (SELECT max(finished_before) AS up_to FROM prunings)
        SELECT
            format('%s version %s', e.stream_id, e.version),
            NOT e.metadata ? 'source' AND NOT coalesce(
                CASE
                    WHEN c.id IS NOT NULL
                        THEN e.metadata ->> 'causation_id' = c.id::text
                    ELSE (e.metadata ->> 'recorded_at')::timestamptz < (
                        SELECT up_to FROM pruned
                    )
                END,
                false
            )
        FROM events AS e
        LEFT JOIN commands AS c ON c.id = (e.metadata ->> 'command_id')::uuid
        """,
    ),
    Look(
        CONVERSATION,
        """
        SELECT
            format('%s version %s', e.stream_id, e.version),
            e.metadata ->> 'correlation_id' <> c.metadata ->> 'correlation_id'
        FROM events AS e
        JOIN commands AS c ON c.id = (e.metadata ->> 'command_id')::uuid
        UNION ALL
        -- A command that follows an event, or the giving up of another command. Where
        -- neither is there, this is NULL, and so broken.
        SELECT
            c.id::text,
            c.metadata ->> 'correlation_id' <> coalesce(
                e.metadata ->> 'correlation_id', given_up.metadata ->> 'correlation_id'
            )
        FROM commands AS c
        LEFT JOIN events AS e
            ON (e.metadata ->> 'event_id')::uuid
                = (c.metadata ->> 'causation_id')::uuid
        LEFT JOIN commands AS given_up
            ON given_up.id = (c.metadata ->> 'causation_id')::uuid
        WHERE starts_with(c.principal, 'process:')
        """,
    ),
]
