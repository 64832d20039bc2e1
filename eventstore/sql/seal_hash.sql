-- Return the hash of a seal: over all its other columns, and so over every seal before it.
--
-- docs/seals.md describes the format byte by byte.
CREATE OR REPLACE FUNCTION public.seal_hash(
    number bigint,
    after bigint,
    up_to bigint,
    count integer,
    previous bytea,
    sealed_at timestamptz,
    imprint bytea
)
RETURNS bytea LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT sha256(
        convert_to(E'recount seal 1\n', 'UTF8')
        || seal_hash.previous
        || int8send(seal_hash.number)
        || int8send(seal_hash.after)
        || int8send(seal_hash.up_to)
        || int4send(seal_hash.count)
        || timestamptz_send(seal_hash.sealed_at)
        || seal_hash.imprint
    )
$$;
