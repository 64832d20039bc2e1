-- Deploy a process manager: it hears of what is settled after now, and of nothing before.
--
-- Done when it is deployed, before the first event that it must hear of can come in. Doing
-- it again changes nothing; a checkpoint that was taken away is made anew where it has
-- come to, so nothing is left out.
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
