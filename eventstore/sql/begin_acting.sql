-- Deploy a process manager: it handles events that settle after now.
--
-- Call it at deployment, before the first event that the process manager must handle.
-- Calling it again changes nothing. A checkpoint that was deleted is made again at the
-- position that was acted on, so no event is skipped.
CREATE OR REPLACE FUNCTION public.begin_acting(process text)
RETURNS void LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    head bigint := public.settled();
BEGIN
    INSERT INTO public.process_managers (name, acted_up_to, event_id)
    VALUES (process, head, public.event_id_at(head))
    ON CONFLICT (name) DO NOTHING;
    INSERT INTO public.subscriptions (name, checkpoint, event_id)
    SELECT p.name, p.acted_up_to, p.event_id FROM public.process_managers AS p
    WHERE p.name = process
    ON CONFLICT (name) DO NOTHING;
END
$$;
