-- The number up to which holds: what was accepted under it and still waits has no message.
--
-- Messages come in the order in which they were sent, about. So one is lost if a worker
-- got the message of a later command two beats ago, or had nothing to do for a while that
-- began after it was sent: `beat` keeps how far that is. Where no worker lives, nobody
-- comes for any. A mere queue in front of healthy workers is theirs.
-- It goes by `seq`, whatever the clock was when a command was accepted. A beat from the
-- future was before the clock was set back: who does not beat again is dead.
CREATE OR REPLACE FUNCTION public.lost_before()
RETURNS bigint LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    moment timestamptz := clock_timestamp();
    is_served boolean;
    passed bigint;
BEGIN
    SELECT
        coalesce(
            bool_or(h.beat_at > moment - interval '3 seconds' AND h.beat_at <= moment),
            false
        ),
        coalesce(max(h.passed_up_to), 0)
    INTO is_served, passed
    FROM public.heartbeats AS h
    WHERE h.serves_commands;
    IF NOT is_served THEN
        RETURN 9223372036854775807;
    END IF;
    RETURN passed;
END
$$;
