-- The key of an advisory lock: a namespace in the high 16 bits, *low* in the others.
--
-- The namespace comes from the log's own sequence, so that two logs in one database do
-- not wait for each other, and from the kind of lock: 0 the fence, 1 an append to a
-- stream, 2 a stream that is being drained, 3 a command that is about to get a number.
-- Its highest bit stays 0. Rebuilding and importing hold keys of two integers, which are
-- a space of their own.
CREATE OR REPLACE FUNCTION public.lock_key(kind integer, low bigint)
RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT (
        (hashint8('public.events_id_seq'::regclass::oid::bigint) & 8191)::bigint << 50
    ) | (kind::bigint << 48) | (low & 281474976710655)
$$;
