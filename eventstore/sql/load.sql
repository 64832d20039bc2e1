-- Return streams: of each its snapshot, if there is one, and the events after it.
--
-- The rows of a stream are consecutive: one of kind 'snapshot' (fingerprint in *type*,
-- state in *data*), then its events in order. A snapshot that cannot be used has the reason
-- in *refused*, and all events follow. A snapshot beyond *up_to* is not returned; without
-- *fingerprints* none is.
CREATE OR REPLACE FUNCTION public.load(
    stream_ids text[],
    fingerprints text[],
    up_to integer[] DEFAULT NULL    -- for each stream the last version; NULL: its head
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
    refused text
)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, public, pg_temp
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_sort = off
-- What it returns is collected first: ten thousand events must not go by the disk.
SET work_mem = '32MB'
AS $$
#variable_conflict use_column
DECLARE
    saved record;
    beginning integer;
    ending integer;
BEGIN
    FOR i IN 1 .. cardinality(stream_ids) LOOP
        beginning := 0;
        ending := coalesce(up_to[i], 2147483647);
        IF fingerprints IS NOT NULL THEN
            SELECT s.*, public.why_refused(
                s.stream_id, s.version, s.event_id, s.fingerprint, fingerprints
            ) AS refused
            INTO saved
            FROM public.snapshots AS s
            WHERE s.stream_id = stream_ids[i] AND s.version <= ending;
            IF FOUND THEN
                RETURN QUERY SELECT
                    'snapshot', NULL::bigint, saved.stream_id, saved.fingerprint,
                    saved.version, saved.state, NULL::jsonb, NULL::timestamptz,
                    saved.checksum, saved.refused;
                IF saved.refused IS NULL THEN
                    beginning := saved.version;
                END IF;
            END IF;
        END IF;
        RETURN QUERY
            SELECT
                'event', e.id, e.stream_id, e.type, e.version, e.data, e.metadata,
                e.occurred_at, NULL::varchar, NULL::text
            FROM public.events AS e
            WHERE e.stream_id = stream_ids[i]
                AND e.version > beginning
                AND e.version <= ending
            ORDER BY e.version;
    END LOOP;
END
$$;
