-- Write many commands to the journal, in order, each as `accept` does, in one commit.
--
-- A line whose id was accepted before, in this call or earlier, returns that it is not
-- new, whether the content is the same, and the stream and status of the first. Only one
-- such call runs at a time, because two calls that name the same ids in another order
-- would deadlock. Pruning waits too: a command that is being pruned is neither known nor
-- new.
CREATE OR REPLACE FUNCTION public.accept_many(
    lines jsonb,                    -- one object each
    sent_by text,
    new_keys jsonb                  -- that personal fields are closed with
)
RETURNS TABLE (is_new boolean, is_same boolean, status varchar, stream_id varchar)
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    draws_elsewhere boolean;
    is_forged boolean;
    new_places bigint[];
    written_ids uuid[];
    written_streams varchar[];
BEGIN
    -- Process managers write theirs one by one, in their checkpoint's transaction.
    IF starts_with(sent_by, 'process:') THEN
        RAISE EXCEPTION 'principals that begin with process: are reserved'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    -- In one pass: the lines may be megabytes.
    SELECT
        bool_or(l.numbered_by !~ '^[a-z_]+_numbers$'),
        bool_or(l.metadata ->> 'actor' <> sent_by)
    INTO draws_elsewhere, is_forged
    FROM jsonb_to_recordset(lines) AS l (numbered_by text, metadata jsonb);
    -- As the owner we could draw from any sequence, the log's own too.
    IF draws_elsewhere THEN
        RAISE EXCEPTION 'one of the lines names no sequence of numbers'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    -- The runner checks the rights of the actor.
    IF is_forged THEN
        RAISE EXCEPTION 'the actor of a command is its principal'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM pg_advisory_xact_lock(
        public.lock_key(3, hashtextextended('accept_many', 0))
    );
    -- Looked at before a number is drawn: a file that is sent again uses up none.
    -- OFFSET 0 keeps the planner at one look by key for each, here and below.
    SELECT coalesce(array_agg(l.place), '{}') INTO new_places
    FROM (
        SELECT u.command_id AS id, min(u.place) AS place
        FROM jsonb_to_recordset(lines) AS u (command_id uuid, place bigint)
        GROUP BY u.command_id
    ) AS l
    LEFT JOIN LATERAL (
        SELECT true AS is_known FROM public.commands AS c WHERE c.id = l.id OFFSET 0
    ) AS k ON true
    WHERE k.is_known IS NULL;

    WITH inserted AS (
        INSERT INTO public.commands (
            id, stream_id, type, data, metadata, principal, fingerprint,
            expected_version, not_before
        )
        SELECT
            l.command_id,
            coalesce(
                l.stream_id, l.category || '-' || nextval(l.numbered_by::regclass)
            ),
            l.type, l.data, l.metadata, sent_by, decode(l.fingerprint, 'hex'),
            l.expected_version,
            -- A time that has passed is none, as in `accept`.
            CASE WHEN l.not_before > clock_timestamp() THEN l.not_before END
        FROM jsonb_to_recordset(lines) AS l (
            place bigint,
            command_id uuid,
            stream_id text,
            category text,
            numbered_by text,
            type text,
            data jsonb,
            metadata jsonb,
            fingerprint text,
            expected_version integer,
            not_before timestamptz
        )
        WHERE l.place = ANY (new_places)
        ORDER BY l.place
        -- A concurrent call has written the same id: that one is the first.
        ON CONFLICT ON CONSTRAINT commands_pkey DO NOTHING
        RETURNING id, stream_id
    )
    SELECT coalesce(array_agg(i.id), '{}'), array_agg(i.stream_id)
    INTO written_ids, written_streams
    FROM inserted AS i;

    PERFORM public.keep_keys(jsonb_agg(
        k.key || jsonb_build_object('subject', coalesce(k.key ->> 'subject', w.stream))
    ))
    FROM unnest(written_ids, written_streams) AS w (id, stream)
    JOIN jsonb_array_elements(new_keys) AS k (key)
        ON (k.key ->> 'command_id')::uuid = w.id
    HAVING count(*) > 0;

    RETURN QUERY
        SELECT
            l.place = ANY (new_places) AND l.command_id = ANY (written_ids),
            c.fingerprint = decode(l.fingerprint, 'hex'),
            c.status,
            c.stream_id
        FROM jsonb_to_recordset(lines)
            AS l (place bigint, command_id uuid, fingerprint text)
        CROSS JOIN LATERAL (
            SELECT c.* FROM public.commands AS c WHERE c.id = l.command_id OFFSET 0
        ) AS c
        ORDER BY l.place;
END
$$;
