-- Return why a snapshot cannot be used by a reader of *fingerprints*, or NULL.
--
--   stale    its shape, or the code it was made with, is not among them
--   too_new  the stream lacks the event that it ends with: it is shorter, or the log was
--            restored to before that event and has gone on differently
-- The caller checks whether it is corrupt.
CREATE OR REPLACE FUNCTION public.why_refused(
    stream varchar,
    snapshot_version integer,
    last_event_id varchar,
    fingerprint varchar,
    fingerprints text[]
)
RETURNS text LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, public, pg_temp
SET enable_seqscan = off
AS $$
BEGIN
    IF fingerprint <> ALL (fingerprints) THEN
        RETURN 'stale';
    END IF;
    PERFORM FROM public.events AS e
    WHERE e.stream_id = stream
        AND e.version = snapshot_version
        AND e.metadata ->> 'event_id' IS NOT DISTINCT FROM last_event_id;
    RETURN CASE WHEN NOT FOUND THEN 'too_new' END;
END
$$;
