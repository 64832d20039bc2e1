-- Let go of a stream, and tell which command is due in it now.
--
-- It is sent right behind the append, before its answer is known. So it looks first: if
-- *head* still waits, the append was refused, and the lock is kept for its caller, who
-- has to give the commands back before the next runner finds their mark. Without *head*
-- it lets go in any case.
-- The look for the next one comes after the unlock: a command that was accepted while
-- we held the lock found it taken, and relies on us.
CREATE OR REPLACE FUNCTION public.release(stream text, head uuid)
RETURNS TABLE (is_released boolean, command_id uuid)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp
SET enable_seqscan = off
AS $$
DECLARE
    status text;
BEGIN
    SELECT c.status INTO status FROM public.commands AS c WHERE c.id = head;
    IF status = 'accepted' THEN
        RETURN QUERY SELECT false, NULL::uuid;
        RETURN;
    END IF;
    PERFORM pg_advisory_unlock(public.lock_key(2, hashtextextended(stream, 0)));
    RETURN QUERY SELECT true, public.next_due(stream);
END
$$;
