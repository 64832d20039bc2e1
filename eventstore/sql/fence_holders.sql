-- Return the transactions that hold the fence, smallest floor first: readers wait for these.
--
-- A transaction counts once, with its smallest floor. A prepared transaction has no
-- process; it is found by its transaction id, which it holds a lock on too. `since` and
-- `state` of sessions of other roles are visible to pg_read_all_stats only.
CREATE OR REPLACE FUNCTION public.fence_holders()
RETURNS TABLE (
    held_floor bigint,
    positions bigint,           -- how many ids were drawn above it, its own included
    pid integer,
    gid text,
    since timestamptz,
    seconds double precision,
    application_name text,
    username text,
    state text
)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    drawn bigint := public.last_drawn();
BEGIN
    RETURN QUERY
    -- pg_locks is asked once: asked twice it would tell of two moments.
    WITH locks AS MATERIALIZED (
        SELECT l.*
        FROM pg_locks AS l
        WHERE l.locktype IN ('advisory', 'transactionid')
    ),
    floors AS (
        SELECT
            min((l.classid::bigint << 32 | l.objid::bigint) & 281474976710655) AS floor,
            l.pid,
            l.virtualtransaction
        FROM locks AS l
        WHERE l.locktype = 'advisory'
            AND l.database = (
                SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database()
            )
            AND l.objsubid = 1
            AND l.classid::bigint >> 16 = public.lock_key(0, 0) >> 48
        GROUP BY l.pid, l.virtualtransaction
    )
    SELECT
        f.floor,
        greatest(drawn - f.floor, 0),
        f.pid,
        p.gid,
        t.since,
        -- The clock may have been set back since. NULL stays NULL.
        CASE WHEN t.since IS NOT NULL THEN
            greatest(extract(epoch FROM clock_timestamp() - t.since), 0)
        END::double precision,
        a.application_name,
        coalesce(a.usename, p.owner)::text,
        coalesce(a.state, CASE WHEN p.gid IS NOT NULL THEN 'prepared' END)
    FROM floors AS f
    LEFT JOIN locks AS x
        ON f.pid IS NULL
        AND x.pid IS NULL
        AND x.locktype = 'transactionid'
        AND x.virtualtransaction = f.virtualtransaction
    LEFT JOIN pg_prepared_xacts AS p ON p.transaction = x.transactionid
    LEFT JOIN pg_stat_activity AS a ON a.pid = f.pid
    -- A session that holds a floor outside of any transaction did so on purpose.
    CROSS JOIN LATERAL (
        SELECT coalesce(a.xact_start, a.state_change, p.prepared) AS since
    ) AS t
    ORDER BY f.floor, t.since;
END
$$;
