-- The moment of which holds: what was accepted before it and still waits has no message.
--
-- Messages come in the order in which they were sent, about. So one is lost if a worker
-- got the message of a command that was accepted *patience* later, or if a worker had
-- nothing to do for a while that began after it was sent; and where no worker lives,
-- nobody comes for it. A mere queue in front of healthy workers is theirs.
CREATE OR REPLACE FUNCTION public.lost_before(patience interval)
RETURNS timestamptz LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    latest timestamptz := clock_timestamp() - patience;
    is_served boolean;
    received timestamptz;
    idle timestamptz;
BEGIN
    SELECT
        coalesce(bool_or(h.beat_at > clock_timestamp() - interval '3 seconds'), false),
        max(h.received_until) - patience,
        -- The first moments of being idle are left out: a message may be on its way.
        max(h.beat_at - interval '0.4 seconds') FILTER (
            WHERE h.idle_since <= h.beat_at - interval '0.3 seconds'
        )
    INTO is_served, received, idle
    FROM public.heartbeats AS h
    WHERE h.serves_commands;
    IF NOT is_served THEN
        RETURN latest;
    END IF;
    RETURN least(latest, coalesce(greatest(received, idle), '-infinity'));
END
$$;
