-- Set a checkpoint back to the last event that was read, so that none is skipped or acted on twice.
--
-- That is the event recorded with it. If the log does not have it any more, a process
-- manager goes back to what it acted on; else to *after*, which an operator vouches for;
-- else, unless commands were pruned, to the last event that a command of its own names. A
-- reader that only computes starts from the beginning. Rows of a read model cannot go
-- back: rebuild them.
--
-- Returns no row if there is no such subscription. *fault* is NULL if nothing was wrong;
-- *moved_to* is NULL if nothing was changed, or the place cannot be known.
CREATE OR REPLACE FUNCTION public.repair_checkpoint(
    subscription varchar,
    operator_name text,
    reason text,
    after bigint DEFAULT NULL
)
RETURNS TABLE (fault text, moved_from bigint, moved_to bigint)
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    stored record;
    acting record;
    is_acting boolean;
    stored_fault text;
    acted_fault text;
    acted_place bigint;
    place bigint;
BEGIN
    SELECT s.checkpoint, s.event_id INTO stored
    FROM public.subscriptions AS s WHERE s.name = subscription FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT p.acted_up_to, p.event_id INTO acting
    FROM public.process_managers AS p WHERE p.name = subscription FOR UPDATE;
    is_acting := FOUND;
    stored_fault := public.checkpoint_fault(stored.checkpoint, stored.event_id);
    IF is_acting THEN
        acted_fault := public.checkpoint_fault(acting.acted_up_to, acting.event_id);
    END IF;
    fault := coalesce(stored_fault, acted_fault);
    moved_from := CASE
        WHEN stored_fault IS NULL AND is_acting THEN acting.acted_up_to
        ELSE stored.checkpoint
    END;
    IF fault IS NULL THEN
        RETURN NEXT;
        RETURN;
    END IF;
    IF after > public.settled() THEN
        RAISE EXCEPTION 'position % is not settled: it is no place to go on behind', after
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF is_acting THEN
        acted_place := acting.acted_up_to;
    END IF;
    IF acted_fault IS NOT NULL THEN
        acted_place := coalesce(public.place_of(acting.event_id), after);
        -- Pruning takes away what would tell that an event was acted on.
        IF acted_place IS NULL AND NOT EXISTS (SELECT FROM public.prunings) THEN
            SELECT max(e.id) INTO acted_place
            FROM public.commands AS c
            JOIN public.events AS e
                ON e.metadata ->> 'event_id' = c.metadata ->> 'causation_id'
            WHERE c.principal = subscription;
        END IF;
        UPDATE public.process_managers AS p
        SET acted_up_to = acted_place, event_id = public.event_id_at(acted_place)
        WHERE p.name = subscription AND acted_place IS NOT NULL;
    END IF;
    place := stored.checkpoint;
    IF stored_fault IS NOT NULL THEN
        place := coalesce(public.place_of(stored.event_id), acted_place);
        IF place IS NULL AND NOT is_acting AND subscription !~ '^[a-z][a-z0-9_]*_g\d+$' THEN
            place := 0;
        END IF;
    END IF;
    IF acted_fault IS NOT NULL THEN
        -- What it did not act on is handed to it again.
        place := least(place, acted_place);
    END IF;
    moved_to := CASE WHEN stored_fault IS NULL THEN acted_place ELSE place END;
    IF place IS NOT NULL AND moved_to IS NOT NULL THEN
        DELETE FROM public.subscriptions AS s WHERE s.name = subscription;
        INSERT INTO public.subscriptions (name, checkpoint, event_id)
        VALUES (subscription, place, public.event_id_at(place));
        RAISE LOG 'the checkpoint of % went back from % to %: % (%)',
            subscription, moved_from, moved_to, reason, operator_name;
    END IF;
    RETURN NEXT;
END
$$;
