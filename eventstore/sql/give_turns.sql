-- Give turns to the due scheduled commands of a stream. Returns how many.
--
-- A turn is the next number of the sequence behind `seq`, drawn in the order of their
-- times. Once committed it is never taken back, and no clock is read for that command
-- again. At most a thousand a call; the next call continues.
-- One transaction at a time does this for a stream, so that a later one cannot draw first.
-- With *waits* the caller must hold the stream's lock, which prevents a deadlock.
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
    due_command uuid;
    turns_given integer := 0;
BEGIN
    IF waits THEN
        PERFORM pg_advisory_xact_lock(key);
    ELSIF NOT pg_try_advisory_xact_lock(key) THEN
        RETURN 0;
    END IF;
    -- A statement of its own: it sees what was committed before we got the lock.
    FOR due_command IN
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
        -- Its sender may have cancelled it meanwhile.
        WHERE c.id = due_command AND c.status = 'accepted' AND c.turn IS NULL;
        turns_given := turns_given + FOUND::integer;
    END LOOP;
    RETURN turns_given;
END
$$;
