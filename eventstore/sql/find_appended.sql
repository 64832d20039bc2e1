-- Return the positions and versions of events that were appended before, or NULL.
--
-- For a caller whose COMMIT was lost and who appends the same again: an event is the same
-- if its stream has it, by event_id, at the version that it would have had. NULL unless
-- that is so for all of them, or if a stream was expected without a version.
CREATE OR REPLACE FUNCTION public.find_appended(
    stream_ids text[],
    expected integer[],
    event_streams integer[],
    metadatas jsonb[],
    OUT positions bigint[],
    OUT versions integer[]
)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, public, pg_temp
SET enable_seqscan = off
AS $$
BEGIN
    SELECT array_agg(e.id ORDER BY n.ordinal), array_agg(e.version ORDER BY n.ordinal)
    INTO positions, versions
    FROM (
        SELECT
            stream_ids[a.stream] AS stream_id,
            expected[a.stream] + row_number() OVER (
                PARTITION BY a.stream ORDER BY a.ordinal
            ) AS version,
            a.metadata ->> 'event_id' AS event_id,
            a.ordinal
        FROM unnest(event_streams, metadatas)
            WITH ORDINALITY AS a (stream, metadata, ordinal)
        WHERE expected[a.stream] >= 0
    ) AS n
    -- OFFSET 0 keeps the planner at one look by key for each.
    CROSS JOIN LATERAL (
        SELECT e.id, e.version
        FROM public.events AS e
        WHERE e.stream_id = n.stream_id
            AND e.version = n.version
            AND e.metadata ->> 'event_id' = n.event_id
        OFFSET 0
    ) AS e;
    IF cardinality(positions) <> cardinality(metadatas) THEN
        positions := NULL;
        versions := NULL;
    END IF;
END
$$;
