-- Return the key of an advisory lock: a namespace in the high 16 bits, *low* in the rest.
--
-- The namespace comes from the oid of the log's sequence, so two logs in one database do
-- not wait for each other, and from the kind of lock: 0 the fence, 1 an append to a stream,
-- 2 a stream that is being drained, 3 a command that is about to get a number, a batch, or
-- the turns of a stream. The highest bit is 0. Rebuilding and importing use keys of two
-- integers, which are a separate space.
CREATE OR REPLACE FUNCTION public.lock_key(kind integer, low bigint)
RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT (
        (hashint8('public.events_id_seq'::regclass::oid::bigint) & 8191)::bigint << 50
    ) | (kind::bigint << 48) | (low & 281474976710655)
$$;
