-- Begin the chain of seals with number 0, which seals no event and identifies the log.
--
-- Its imprint is the identity of the log: sixteen random bytes. *previous_hash* is
-- the hash of the last seal of the log that this one was copied from; without one it is
-- zeros. Does nothing if the chain has begun.
CREATE OR REPLACE FUNCTION public.begin_seals(previous_hash bytea DEFAULT NULL)
RETURNS void LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    previous_or_zeros bytea := coalesce(previous_hash, decode(repeat('00', 32), 'hex'));
    identity bytea := uuid_send(gen_random_uuid());
    clock_now timestamptz := clock_timestamp();
BEGIN
    INSERT INTO public.subscriptions (name) VALUES ('seals')
    ON CONFLICT (name) DO NOTHING;
    INSERT INTO public.seals
        (number, after, up_to, count, imprint, previous, sealed_at, hash)
    SELECT
        0, 0, 0, 0, identity, previous_or_zeros, clock_now,
        public.seal_hash(0, 0, 0, 0, previous_or_zeros, clock_now, identity)
    WHERE NOT EXISTS (SELECT FROM public.seals)
    ON CONFLICT (number) DO NOTHING;
END
$$;
