-- Give back commands that were taken and not finished: record why, and clear the mark.
--
-- Commit it before the stream is released; otherwise the next runner takes the mark for a
-- death. With *must_wait* the first command rests, and so the stream: for a time that
-- doubles with each attempt, at most a minute.
CREATE OR REPLACE FUNCTION public.give_back(
    command_ids uuid[],
    incident text,
    incident_detail jsonb,
    must_wait boolean
)
RETURNS void LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET enable_seqscan = off
AS $$
DECLARE
    command_status text;
BEGIN
    FOR i IN 1 .. cardinality(command_ids) LOOP
        SELECT c.status INTO command_status FROM public.commands AS c
        WHERE c.id = command_ids[i]
        FOR UPDATE;
        CONTINUE WHEN command_status IS DISTINCT FROM 'accepted';
        UPDATE public.commands AS c
        SET started_at = NULL,
            conflicts = c.conflicts + (incident = 'conflict')::integer,
            next_try_at = CASE
                WHEN i = 1 AND must_wait
                    THEN clock_timestamp() + public.backoff(c.attempts)
                ELSE c.next_try_at
            END
        WHERE c.id = command_ids[i];
        INSERT INTO public.command_incidents (command_id, kind, detail)
        VALUES (
            command_ids[i], incident,
            public.storable_error(command_ids[i], incident_detail)
        );
    END LOOP;
END
$$;
