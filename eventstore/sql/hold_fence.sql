-- The writer's side of the fence: take a lock whose key is the floor of this transaction.
--
-- Fires before an INSERT or COPY draws its first id, so all ids of this transaction are
-- above the floor in the key. As a trigger it works for every way of inserting. The lock
-- is shared: writers never wait for each other here.
CREATE OR REPLACE FUNCTION public.hold_fence()
RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(public.lock_key(0, public.last_drawn()));
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER events_hold_fence
BEFORE INSERT ON public.events
FOR EACH STATEMENT EXECUTE FUNCTION public.hold_fence();

-- ALWAYS: also in a session that plays replica, where ordinary triggers sleep.
ALTER TABLE public.events ENABLE ALWAYS TRIGGER events_hold_fence;
