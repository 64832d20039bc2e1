-- Return how long commands took that were accepted from *since* to before *until*, by type.
--
-- Percentiles of days cannot be added up to those of a week: this computes them from the
-- commands. It acts as the owner, because its callers may not read the journal.
CREATE FUNCTION reporting.command_seconds(since timestamptz, until timestamptz)
RETURNS TABLE (
    command_type text,
    commands bigint,
    p50_seconds double precision,
    p95_seconds double precision,
    p99_seconds double precision,
    max_seconds double precision
)
LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT
        t.type,
        count(*),
        percentile_cont(0.5) WITHIN GROUP (ORDER BY t.seconds),
        percentile_cont(0.95) WITHIN GROUP (ORDER BY t.seconds),
        percentile_cont(0.99) WITHIN GROUP (ORDER BY t.seconds),
        max(t.seconds)
    FROM (
        SELECT
            c.type::text AS type,
            extract(epoch FROM c.finished_at - greatest(c.accepted_at, c.not_before))
                ::double precision AS seconds
        FROM public.commands AS c
        WHERE c.status IN ('succeeded', 'rejected', 'failed')
            AND c.accepted_at >= since AND c.accepted_at < until
    ) AS t
    GROUP BY t.type
    ORDER BY t.type
$$;

COMMENT ON FUNCTION reporting.command_seconds IS
    'Seconds to the end, by type, of the commands accepted from since to before until; columns as in reporting.command_seconds_by_day';
