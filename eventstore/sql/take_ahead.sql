-- Take the stream of a command as `take` does, and those of the commands right behind it.
--
-- Where many wait, each that is run alone pays for two round trips and a commit; its
-- neighbours go with it for little. Those are the next *ahead* by number, so however many
-- wait or are finished, so many rows are looked at. Of a stream in which a runner died
-- nobody else is taken along, and no such stream is: the one that kills its runner is to
-- be alone. What is scheduled, or waits for its next try, is the relay's.
CREATE OR REPLACE FUNCTION public.take_ahead(
    command_id uuid,
    ahead integer,
    most_of_others integer,
    runner text,
    most integer,
    most_bytes integer,
    most_deaths integer,
    fingerprints text[] DEFAULT NULL
)
RETURNS TABLE (
    kind text,
    ref uuid,
    id bigint,
    stream_id varchar,
    type varchar,
    version integer,
    data jsonb,
    metadata jsonb,
    moment timestamptz,
    checksum varchar,
    refused text
)
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    own public.commands;
    neighbours uuid[];
    due uuid;
BEGIN
    SELECT c.* INTO own FROM public.commands AS c WHERE c.id = command_id;
    IF NOT FOUND OR own.status <> 'accepted' THEN
        RETURN;
    END IF;
    SELECT array_agg(n.id ORDER BY n.seq)
    INTO neighbours
    FROM (
        -- By number alone: with the status in this condition the planner may walk through
        -- all that wait. OFFSET 0 keeps it out.
        SELECT c.id, c.seq, c.stream_id, c.status, c.not_before, c.next_try_at
        FROM public.commands AS c
        WHERE c.seq > own.seq AND c.seq <= own.seq + ahead
        OFFSET 0
    ) AS n
    WHERE n.status = 'accepted'
        AND n.not_before IS NULL
        AND n.next_try_at IS NULL
        -- A session's lock on its own stream would be taken twice, and let go once.
        AND n.stream_id <> own.stream_id;
    IF neighbours IS NOT NULL THEN
        due := public.next_due(own.stream_id);
        IF EXISTS (
            SELECT FROM public.commands AS c
            WHERE c.id = due AND c.started_at IS NOT NULL
        ) THEN
            neighbours := NULL;
        END IF;
    END IF;
    RETURN QUERY SELECT * FROM public.take(
        command_id, runner, most, most_bytes, most_deaths, fingerprints
    );
    IF FOUND AND neighbours IS NOT NULL THEN
        RETURN QUERY SELECT * FROM public.take_many(
            neighbours, runner, most_of_others, most_bytes, most_deaths, fingerprints
        );
    END IF;
END
$$;
