-- Note that a process lives, by the database's clock.
--
-- What a worker says of the queue decides what the relay leaves to it, so nobody else may
-- speak as one; nor as any process of another role, whose row has that in its name. Losing the last beats in a crash costs nothing.
CREATE OR REPLACE FUNCTION public.beat(
    process text,
    role text,
    is_new boolean,
    serves_commands boolean,
    idle_seconds double precision,  -- NULL: busy
    received uuid,                  -- the command whose message came last, or NULL
    detail jsonb
)
RETURNS void LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET synchronous_commit = off
AS $$
#variable_conflict use_variable
DECLARE
    moment timestamptz := clock_timestamp();
    accepted timestamptz;
BEGIN
    IF NOT public.speaks_for(process)
        OR role <> split_part(process, ':', 1)
        OR serves_commands AND role <> 'worker'
    THEN
        RAISE EXCEPTION 'it cannot beat as %', process
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT c.accepted_at INTO accepted FROM public.commands AS c WHERE c.id = received;
    INSERT INTO public.heartbeats AS h (
        process, role, started_at, beat_at, serves_commands, idle_since,
        received_until, detail
    ) VALUES (
        process, role, moment, moment, serves_commands,
        moment - make_interval(secs => idle_seconds), accepted, detail
    )
    ON CONFLICT ON CONSTRAINT heartbeats_pkey DO UPDATE
    SET role = excluded.role,
        started_at = CASE WHEN is_new THEN moment ELSE h.started_at END,
        beat_at = moment,
        serves_commands = excluded.serves_commands,
        idle_since = excluded.idle_since,
        received_until = greatest(h.received_until, excluded.received_until),
        detail = excluded.detail;
    IF is_new THEN
        DELETE FROM public.heartbeats AS h WHERE h.beat_at < moment - interval '1 hour';
    END IF;
END
$$;
