-- Return which of these values are claimed by streams other than *stream*: their places, from 1.
CREATE OR REPLACE FUNCTION public.claimed(stream text, scopes text[], hashes bytea[])
RETURNS SETOF bigint LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET enable_seqscan = off
AS $$
BEGIN
    RETURN QUERY
        SELECT c.ordinal
        FROM unnest(scopes, hashes) WITH ORDINALITY AS c (scope, keyed_hash, ordinal)
        -- OFFSET 0 keeps the planner at one look by key for each.
        CROSS JOIN LATERAL (
            SELECT FROM public.unique_claims AS u
            WHERE u.scope = c.scope
                AND u.keyed_hash = c.keyed_hash
                AND u.stream_id <> stream
            OFFSET 0
        ) AS other;
END
$$;
