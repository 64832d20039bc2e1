-- The reader's side of the fence: return the position up to which no new event can appear.
--
-- First the last drawn id, then the smallest floor of a running writer. An id up to both
-- was drawn by a transaction that has ended, so the *next* snapshot sees its row, or the
-- row will never exist. So this must not be called in the statement that reads events, and
-- it refuses to run where one snapshot serves a whole transaction. A prepared transaction
-- holds its lock without a process: only pg_locks is read.
CREATE OR REPLACE FUNCTION public.settled()
RETURNS bigint LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    drawn bigint;
    smallest_floor bigint;
BEGIN
    IF pg_is_in_recovery() THEN
        RAISE EXCEPTION 'settled() sees no locks on a standby: ask the primary'
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'settled() needs READ COMMITTED, this transaction is %',
            current_setting('transaction_isolation')
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    drawn := public.last_drawn();
    SELECT min((classid::bigint << 32 | objid::bigint) & 281474976710655)
    INTO smallest_floor
    FROM pg_locks
    WHERE locktype = 'advisory'
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND objsubid = 1
        AND classid::bigint >> 16 = public.lock_key(0, 0) >> 48;
    RETURN least(drawn, smallest_floor);
END
$$;
