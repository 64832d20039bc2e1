-- Return whether a command with this next try still rests at *clock_now*.
--
-- A next try further ahead than the backoff for so many attempts was set by a clock that
-- has gone back since: it counts as passed.
CREATE OR REPLACE FUNCTION public.rests(
    next_try_at timestamptz,
    attempts integer,
    clock_now timestamptz
)
RETURNS boolean LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce(
        next_try_at > clock_now
            AND next_try_at <= clock_now + public.backoff(attempts),
        false
    )
$$;
