-- Record that a process is alive, by the database's clock.
--
-- What a worker reports about the queue decides what the relay leaves to it. So only a
-- process of that role may report it, and only under its own name. Losing the last beats
-- in a crash costs nothing.
-- Progress of the queue is a number, not a time: the command whose message had arrived two
-- beats ago, because a worker fetches a message while it runs the one before. If no
-- message arrived for a while, it is what was accepted by the previous beat.
CREATE OR REPLACE FUNCTION public.beat(
    process_name text,
    process_role text,
    is_new boolean,
    runs_commands boolean,
    idle_seconds double precision,  -- NULL: busy
    received uuid,                  -- the command whose message came last, or NULL
    process_detail jsonb
)
RETURNS void LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET synchronous_commit = off
AS $$
DECLARE
    clock_now timestamptz := clock_timestamp();
    received_seq bigint;
BEGIN
    IF NOT public.speaks_for(process_name)
        OR process_role <> split_part(process_name, ':', 1)
        OR runs_commands AND process_role <> 'worker'
    THEN
        RAISE EXCEPTION 'it cannot beat as %', process_name
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT c.seq INTO received_seq FROM public.commands AS c WHERE c.id = received;
    INSERT INTO public.heartbeats AS h (
        process, role, started_at, beat_at, serves_commands, detail, drawn,
        received_up_to
    ) VALUES (
        process_name, process_role, clock_now, clock_now, runs_commands,
        process_detail,
        pg_sequence_last_value('public.commands_seq_seq'), received_seq
    )
    ON CONFLICT ON CONSTRAINT heartbeats_pkey DO UPDATE
    SET role = excluded.role,
        started_at = CASE WHEN is_new THEN clock_now ELSE h.started_at END,
        beat_at = clock_now,
        serves_commands = excluded.serves_commands,
        detail = excluded.detail,
        drawn = excluded.drawn,
        received_up_to = greatest(h.received_up_to, excluded.received_up_to),
        received_before = h.received_up_to,
        passed_up_to = greatest(
            h.passed_up_to,
            h.received_before,
            CASE WHEN idle_seconds >= 0.3 THEN h.drawn END
        );
    -- A beat in the future was written before the clock was set back. A living process
    -- beats again soon; a dead one must not look alive when that time comes.
    UPDATE public.heartbeats AS h
    SET beat_at = clock_now - interval '3 seconds'
    WHERE h.process IN (
        SELECT f.process FROM public.heartbeats AS f
        WHERE f.beat_at > clock_now + interval '1 second'
        -- Two that beat at once would each wait for the other's own row.
        FOR UPDATE SKIP LOCKED
    );
    IF is_new THEN
        DELETE FROM public.heartbeats AS h WHERE h.beat_at < clock_now - interval '1 hour';
    END IF;
END
$$;
