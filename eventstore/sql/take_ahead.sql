-- Take the stream of a command as `take` does, and the streams of the commands behind it.
--
-- Running a command alone costs two round trips and a commit; neighbours that are taken
-- with it cost little. Up to *ahead* free neighbours are taken, out of four times as many
-- by number, so the number of rows read is bounded however many wait. If another worker
-- holds the stream, only the free neighbours are taken. A stream in which a runner died
-- is taken alone, and brings no neighbours: the command that kills its runner must be
-- alone. Scheduled and resting commands are the relay's.
CREATE OR REPLACE FUNCTION public.take_ahead(
    command uuid,
    ahead integer,
    max_of_others integer,
    runner text,
    max_commands integer,
    max_bytes integer,
    max_deaths integer,
    fingerprints text[] DEFAULT NULL
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
#variable_conflict use_column
DECLARE
    asked public.commands;
    neighbours uuid[];
    due_command uuid;
    is_marked boolean;
BEGIN
    SELECT c.* INTO asked FROM public.commands AS c WHERE c.id = command;
    IF NOT FOUND OR asked.status <> 'accepted' THEN
        RETURN;
    END IF;
    SELECT array_agg(n.id ORDER BY n.seq)
    INTO neighbours
    FROM (
        -- By number alone: with the status in this condition the planner may walk through
        -- all that wait. OFFSET 0 keeps it out.
        SELECT c.id, c.seq, c.stream_id, c.status, c.not_before, c.next_try_at
        FROM public.commands AS c
        WHERE c.seq > asked.seq AND c.seq <= asked.seq + 4 * ahead
        OFFSET 0
    ) AS n
    WHERE n.status = 'accepted'
        AND n.not_before IS NULL
        AND n.next_try_at IS NULL
        -- Their stream's lock would be taken twice and released once.
        AND n.stream_id <> asked.stream_id;
    -- Read before `take` marks it.
    IF neighbours IS NOT NULL THEN
        due_command := public.next_due(asked.stream_id);
        SELECT c.started_at IS NOT NULL INTO is_marked
        FROM public.commands AS c
        WHERE c.id = due_command;
    END IF;
    RETURN QUERY SELECT * FROM public.take(
        command, runner, max_commands, max_bytes, max_deaths, fingerprints
    );
    -- If another runner holds the stream, the mark is that runner's.
    IF neighbours IS NOT NULL AND (NOT FOUND OR is_marked IS NOT TRUE) THEN
        RETURN QUERY SELECT * FROM public.take_many(
            neighbours, runner, max_of_others, max_bytes, max_deaths, fingerprints,
            ahead
        );
    END IF;
END
$$;
