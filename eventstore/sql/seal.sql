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
    -- A stretch of more would not be believed by who verifies it.
    bound constant integer := greatest(1, least(most, 10000));
    newest record;
    kept record;
    goal bigint;
    taken record;
    moment timestamptz;
BEGIN
    SELECT s.checkpoint, s.event_id, s.error INTO kept FROM public.subscriptions AS s
    WHERE s.name = 'seals'
    FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT s.number, s.up_to, s.hash INTO STRICT newest
    FROM public.seals AS s
    ORDER BY s.number DESC
    LIMIT 1;
    goal := public.settled();
    IF newest.up_to > public.last_drawn() OR kept.checkpoint = newest.up_to
        AND public.checkpoint_fault(newest.up_to, kept.event_id) IS NOT NULL
    THEN
        RAISE EXCEPTION 'seals end at %, where this log is another', newest.up_to
            USING ERRCODE = 'ES004';
    END IF;
    IF kept.checkpoint <> newest.up_to OR kept.error IS NOT NULL THEN
        UPDATE public.subscriptions AS s
        SET
            checkpoint = newest.up_to, moved_at = clock_timestamp(),
            error = NULL, stopped_since = NULL
        WHERE s.name = 'seals';
    END IF;
    IF goal <= newest.up_to THEN
        RETURN QUERY SELECT newest.up_to, 0, true;
        RETURN;
    END IF;
    -- A statement of its own: a snapshot that is newer than what settled told.
    SELECT i.count, i.last_id, i.imprint INTO taken
    FROM public.imprint(newest.up_to, goal, bound) AS i;
    IF taken.count = bound THEN
        goal := taken.last_id;
    END IF;
    moment := clock_timestamp();
    INSERT INTO public.seals
        (number, after, up_to, count, imprint, previous, sealed_at, hash)
    VALUES (
        newest.number + 1, newest.up_to, goal, taken.count, taken.imprint, newest.hash,
        moment,
        public.seal_hash(
            newest.number + 1, newest.up_to, goal, taken.count, newest.hash, moment,
            taken.imprint
        )
    );
    UPDATE public.subscriptions AS s
    SET checkpoint = goal, moved_at = moment
    WHERE s.name = 'seals';
    RETURN QUERY SELECT goal, taken.count, taken.count < bound;
END
$$;
