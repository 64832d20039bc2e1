-- Take the streams of several commands, each as `take` does, in one round trip.
--
-- At most *max_streams* of the free ones. Streams in which a runner died are left out: a
-- command that kills its process leaves a mark on every stream that was taken with it, so
-- it must be taken alone.
CREATE OR REPLACE FUNCTION public.take_many(
    command_ids uuid[],
    runner text,
    max_commands integer,
    max_bytes integer,
    max_deaths integer,
    fingerprints text[] DEFAULT NULL,
    max_streams integer DEFAULT NULL
)
RETURNS TABLE (
    kind text,
    id bigint,
    stream_id varchar,
    type varchar,
    version integer,
    data jsonb,
    metadata jsonb,
    occurred_at timestamptz,
    checksum varchar,
    refused text,
    lease_limit integer,
    command_id uuid,
    expected_version integer,
    attempts integer,
    conflicts integer,
    keys text
)
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET enable_seqscan = off
AS $$
DECLARE
    stream varchar;
    due_command uuid;
    streams_taken integer := 0;
BEGIN
    -- Each stream once: its lock would be taken twice and released once.
    FOR stream IN
        SELECT c.stream_id
        FROM unnest(command_ids) WITH ORDINALITY AS l (id, place)
        -- By key alone: with the status in this condition the planner may walk through
        -- all that wait, for each. OFFSET 0 keeps it out.
        CROSS JOIN LATERAL (
            SELECT w.stream_id, w.status FROM public.commands AS w
            WHERE w.id = l.id
            OFFSET 0
        ) AS c
        WHERE c.status = 'accepted'
        GROUP BY c.stream_id
        ORDER BY min(l.place)
    LOOP
        EXIT WHEN streams_taken >= max_streams;
        due_command := public.next_due(stream);
        CONTINUE WHEN due_command IS NULL OR EXISTS (
            SELECT FROM public.commands AS c
            WHERE c.id = due_command AND c.started_at IS NOT NULL
        );
        RETURN QUERY SELECT * FROM public.take(
            due_command, runner, max_commands, max_bytes, max_deaths, fingerprints
        );
        streams_taken := streams_taken + FOUND::integer;
    END LOOP;
END
$$;
