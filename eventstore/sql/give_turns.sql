-- Give their turn to the scheduled commands of a stream that are due; return how many.
--
-- A turn is the next number of the sequence that `seq` comes from, drawn in the order of
-- their times. It is committed and never taken back: from then on no clock is asked. At
-- most a thousand get one in one call; the next call goes on behind them.
-- One at a time does this for a stream, else a later one could draw first. Who *waits*
-- must hold the stream's own lock: so nobody waits for who waits.
CREATE OR REPLACE FUNCTION public.give_turns(stream text, waits boolean)
RETURNS integer LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_sort = off
AS $$
DECLARE
    key constant bigint := public.lock_key(
        3, hashtextextended('turns of ' || stream, 0)
    );
    due uuid;
    given integer := 0;
BEGIN
    IF waits THEN
        PERFORM pg_advisory_xact_lock(key);
    ELSIF NOT pg_try_advisory_xact_lock(key) THEN
        RETURN 0;
    END IF;
    -- A statement of its own: it sees what was committed before we got the lock.
    FOR due IN
        SELECT c.id
        FROM public.commands AS c
        WHERE c.stream_id = stream
            AND c.status = 'accepted'
            AND c.not_before IS NOT NULL
            AND c.turn IS NULL
            AND c.not_before <= clock_timestamp()
        ORDER BY c.not_before, c.seq
        LIMIT 1000
    LOOP
        UPDATE public.commands AS c
        SET turn = nextval('public.commands_seq_seq')
        -- Its sender may have taken it back meanwhile.
        WHERE c.id = due AND c.status = 'accepted' AND c.turn IS NULL;
        given := given + FOUND::integer;
    END LOOP;
    RETURN given;
END
$$;
