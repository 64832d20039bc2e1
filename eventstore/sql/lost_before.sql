-- Return the number up to which every still-waiting command must have lost its message.
--
-- Messages arrive roughly in the order in which they were sent. A message is lost if a
-- worker got the message of a later command two beats ago, or was idle for a while that
-- began after it was sent; `beat` records how far that is. If no worker is alive, no
-- process fetches messages. A queue in front of healthy workers is left to them.
-- Compares `seq`, so the clock at acceptance does not matter. A beat from the future was
-- written before the clock was set back: a process that does not beat again is dead.
CREATE OR REPLACE FUNCTION public.lost_before()
RETURNS bigint LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    clock_now timestamptz := clock_timestamp();
    is_served boolean;
    passed bigint;
BEGIN
    SELECT
        coalesce(
            bool_or(
                h.beat_at > clock_now - interval '3 seconds' AND h.beat_at <= clock_now
            ),
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
