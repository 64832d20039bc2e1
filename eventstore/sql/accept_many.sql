-- Write many commands to the journal, in order, each as `accept` does: one commit for all.
--
-- A line whose id was accepted before, here or earlier, is answered as that one. One such
-- call at a time: two that name the same ids in another order would wait for each other.
CREATE OR REPLACE FUNCTION public.accept_many(
    command_ids uuid[],
    streams text[],
    categories text[],
    numbered_by text[],
    command_types text[],
    datas jsonb[],
    metadatas jsonb[],
    sent_by text,
    contents bytea[],
    expected integer[],
    due_at timestamptz[],
    new_keys jsonb                  -- that personal fields are closed with
)
RETURNS TABLE (is_new boolean, is_same boolean, status varchar, stream_id varchar)
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    fresh bigint[];
    written uuid[];
    came_to varchar[];
BEGIN
    -- Process managers write theirs one by one, in their checkpoint's transaction.
    IF starts_with(sent_by, 'process:') THEN
        RAISE EXCEPTION 'principals that begin with process: are reserved'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    -- As the owner we could draw from any sequence, the log's own too.
    IF EXISTS (SELECT FROM unnest(numbered_by) AS n WHERE n !~ '^[a-z_]+_numbers$') THEN
        RAISE EXCEPTION 'one of % is no sequence of numbers', numbered_by
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM pg_advisory_xact_lock(
        public.lock_key(3, hashtextextended('accept_many', 0))
    );
    -- Looked at before a number is drawn: a file that is sent again uses up none.
    -- OFFSET 0 keeps the planner at one look by key for each, here and below.
    SELECT coalesce(array_agg(l.place), '{}') INTO fresh
    FROM (
        SELECT u.id, min(u.place) AS place
        FROM unnest(command_ids) WITH ORDINALITY AS u (id, place)
        GROUP BY u.id
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
            l.id,
            coalesce(l.stream, l.category || '-' || nextval(l.numbers::regclass)),
            l.type, l.data, l.metadata, sent_by, l.content, l.expected, l.due_at
        FROM unnest(
            command_ids, streams, categories, numbered_by, command_types, datas,
            metadatas, contents, expected, due_at
        ) WITH ORDINALITY AS l (
            id, stream, category, numbers, type, data, metadata, content, expected,
            due_at, place
        )
        WHERE l.place = ANY (fresh)
        ORDER BY l.place
        -- Somebody sent the same at the same moment: theirs is the first.
        ON CONFLICT ON CONSTRAINT commands_pkey DO NOTHING
        RETURNING id, stream_id
    )
    SELECT coalesce(array_agg(i.id), '{}'), array_agg(i.stream_id)
    INTO written, came_to
    FROM inserted AS i;

    PERFORM public.keep_keys(jsonb_agg(
        k.key || jsonb_build_object('subject', coalesce(k.key ->> 'subject', w.stream))
    ))
    FROM unnest(written, came_to) AS w (id, stream)
    JOIN jsonb_array_elements(new_keys) AS k (key)
        ON (k.key ->> 'command_id')::uuid = w.id
    HAVING count(*) > 0;

    RETURN QUERY
        SELECT
            l.place = ANY (fresh) AND l.id = ANY (written),
            c.fingerprint = l.content,
            c.status,
            c.stream_id
        FROM unnest(command_ids, contents) WITH ORDINALITY AS l (id, content, place)
        CROSS JOIN LATERAL (
            SELECT c.* FROM public.commands AS c WHERE c.id = l.id OFFSET 0
        ) AS c
        ORDER BY l.place;
END
$$;
