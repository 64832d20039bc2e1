-- Seal the next stretch of the log: settled events, up to a maximum, in one round trip.
--
-- The stretch begins where the newest seal ends, and ends at what is settled; the caller
-- decides neither. Gaps are sealed too, those at the end included: an event that is put
-- into one later is found. The sealer holds the checkpoint's row; a concurrent call returns
-- no row. That checkpoint is a copy of where the newest seal ends, and is corrected if it
-- was moved. Refuses if the event at the end of the newest seal is another, or missing.
CREATE OR REPLACE FUNCTION public.seal(most integer)
RETURNS TABLE (checkpoint bigint, handled integer, is_last boolean)
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    -- The verification refuses a seal of more events.
    max_events constant integer := greatest(1, least(most, 10000));
    newest record;
    stored record;
    end_position bigint;
    stretch record;
    clock_now timestamptz;
BEGIN
    SELECT s.checkpoint, s.event_id, s.error INTO stored FROM public.subscriptions AS s
    WHERE s.name = 'seals'
    FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT s.number, s.up_to, s.hash INTO STRICT newest
    FROM public.seals AS s
    ORDER BY s.number DESC
    LIMIT 1;
    end_position := public.settled();
    IF newest.up_to > public.last_drawn() OR stored.checkpoint = newest.up_to
        AND public.checkpoint_fault(newest.up_to, stored.event_id) IS NOT NULL
    THEN
        RAISE EXCEPTION 'seals end at %, where this log is another', newest.up_to
            USING ERRCODE = 'ES004';
    END IF;
    IF stored.checkpoint <> newest.up_to OR stored.error IS NOT NULL THEN
        UPDATE public.subscriptions AS s
        SET
            checkpoint = newest.up_to, moved_at = clock_timestamp(),
            error = NULL, stopped_since = NULL
        WHERE s.name = 'seals';
    END IF;
    IF end_position <= newest.up_to THEN
        RETURN QUERY SELECT newest.up_to, 0, true;
        RETURN;
    END IF;
    -- A statement of its own: its snapshot is newer than the position `settled` returned.
    SELECT i.count, i.last_id, i.imprint INTO stretch
    FROM public.imprint(newest.up_to, end_position, max_events) AS i;
    IF stretch.count = max_events THEN
        end_position := stretch.last_id;
    END IF;
    clock_now := clock_timestamp();
    INSERT INTO public.seals
        (number, after, up_to, count, imprint, previous, sealed_at, hash)
    VALUES (
        newest.number + 1, newest.up_to, end_position, stretch.count, stretch.imprint,
        newest.hash, clock_now,
        public.seal_hash(
            newest.number + 1, newest.up_to, end_position, stretch.count, newest.hash,
            clock_now, stretch.imprint
        )
    );
    UPDATE public.subscriptions AS s
    SET checkpoint = end_position, moved_at = clock_now
    WHERE s.name = 'seals';
    RETURN QUERY SELECT end_position, stretch.count, stretch.count < max_events;
END
$$;
